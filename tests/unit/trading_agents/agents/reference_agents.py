"""The base agent and the hedge agent exactly as the design of the trading memory writes them down."""


class ReferenceAgent:
    def __init__(self, name, memory):
        self.name = name
        self.memory = memory

    def perceive(self, symbol, bar_time, features):
        # Example: Detect unusual volume
        if "liquidity" in features:
            liq = features["liquidity"]
            if liq.get("amihud", 0) > 2.0:  # High illiquidity
                self.memory.add(
                    kind="market_event",
                    content=f"High illiquidity detected: Amihud={liq['amihud']:.2f}",
                    score=1.5,
                    symbol=symbol,
                    metadata={"bar_time": str(bar_time), "amihud": liq["amihud"]},
                )

        # Example: Remember sentiment extremes
        if "sentiment" in features:
            sent = features["sentiment"]
            if abs(sent.get("momentum", 0)) > 1.5:  # Strong momentum
                self.memory.add(
                    kind="sentiment_extreme",
                    content=f"Strong momentum: {sent['momentum']:.2f}",
                    score=1.3,
                    symbol=symbol,
                    metadata={"bar_time": str(bar_time), "momentum": sent["momentum"]},
                )

    def recall(self, symbol, query, topk=3):
        return self.memory.search(query=query, symbol=symbol, topk=topk)

    def act_with_memory(self, symbol, bar_time, features):
        # Step 1: Recall relevant past events
        recent_trades = self.memory.get_recent(kind="trade", symbol=symbol, n=5)
        recent_outcomes = self.memory.get_recent(kind="outcome", symbol=symbol, n=10)

        # Step 2: Base decision (to be overridden by subclass)
        signal, confidence = self._base_decision(symbol, features)

        # Step 3: Adjust based on memory
        win_rate = self._calculate_win_rate(recent_outcomes)
        if win_rate < 0.4:  # Poor recent performance
            confidence *= 0.7  # Reduce confidence
        elif win_rate > 0.6:  # Good recent performance
            confidence *= 1.2  # Increase confidence (capped at 1.0 later)

        confidence = min(1.0, max(0.0, confidence))

        # Step 4: Store this decision
        self.memory.add(
            kind="signal",
            content=f"{self.name} voted {signal} with confidence {confidence:.2f}",
            score=confidence,
            symbol=symbol,
            metadata={"bar_time": str(bar_time), "signal": signal, "confidence": confidence},
        )

        return signal, confidence, {"past_trades": len(recent_trades), "win_rate": win_rate}

    def _base_decision(self, symbol, features):  # noqa: ARG002
        return "neutral", 0.5

    def _calculate_win_rate(self, outcomes):
        if not outcomes:
            return 0.5  # Neutral default

        wins = sum(1 for item in outcomes if item.metadata.get("pnl", 0) > 0)
        return wins / len(outcomes)

    def remember_outcome(self, symbol, trade_id, pnl, entry_price, exit_price):
        outcome = "win" if pnl > 0 else "loss"
        self.memory.add(
            kind="outcome",
            content=f"Trade {trade_id} {outcome}: PnL=${pnl:.2f}",
            score=2.0 if abs(pnl) > 1.0 else 1.0,  # Big wins/losses more important
            symbol=symbol,
            metadata={
                "trade_id": trade_id,
                "pnl": pnl,
                "entry": entry_price,
                "exit": exit_price,
                "outcome": outcome,
            },
        )


class ReferenceHedgeAgent(ReferenceAgent):
    def _base_decision(self, symbol, features):
        hedge_features = features.get("hedge", {})

        # Recall past dealer squeeze events
        past_squeezes = self.memory.search(
            query="gamma squeeze dealer positioning", kind="market_event", symbol=symbol, topk=5
        )

        # Get current gamma exposure
        gamma_exp = hedge_features.get("net_gamma_exposure", 0.0)
        dealer_flow = hedge_features.get("smart_flow_signal", 0.0)

        # Base signal
        if gamma_exp < -0.5 and dealer_flow > 0.3:
            signal = "long"
            confidence = 0.7
        elif gamma_exp > 0.5 and dealer_flow < -0.3:
            signal = "short"
            confidence = 0.7
        else:
            signal = "neutral"
            confidence = 0.4

        # Adjust based on past squeeze events
        if len(past_squeezes) > 2:
            # If we've seen multiple squeezes recently, be more cautious
            confidence *= 0.8

            # Remember this pattern
            self.memory.add(
                kind="pattern",
                content="Recurring gamma exposure pattern detected",
                score=1.5,
                symbol=symbol,
                metadata={"gamma_exp": gamma_exp, "dealer_flow": dealer_flow},
            )

        return signal, confidence
