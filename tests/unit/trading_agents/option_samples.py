"""Option chains made by rule, as files of different vendors' shapes."""

from datetime import date, timedelta

NAMES = {"C": "call", "P": "put"}
STRIKES = (90.0, 95.0, 100.0, 105.0, 110.0)


def quotes(days=8, first=date(2024, 3, 8), *, calls=1000, puts=800, call_volume=50, put_volume=60, spot=100.0):
    """Rows of daily chains: date, spot, expiry, strike, side, volatility, open interest, volume.

    Numbers may be functions of the day's number.
    """

    def at(value, day):
        return value(day) if callable(value) else value

    for number in range(days):
        day = first + timedelta(number)
        for strike in STRIKES:
            for side, interest, volume in (("C", calls, call_volume), ("P", puts, put_volume)):
                yield (
                    day,
                    at(spot, number),
                    first + timedelta(70),
                    strike,
                    side,
                    0.2,
                    at(interest, number),
                    at(volume, number),
                )


def contract(root, expiry, side, strike):
    """A contract as the Options Clearing Corporation writes it."""
    return f"{root}{expiry:%y%m%d}{side}{round(1000 * strike):08d}"


def as_text(header, rows, delimiter=","):
    return "\n".join([header, *(delimiter.join(str(cell) for cell in row) for row in rows)]) + "\n"


def daily_file(rows):
    """`date,underlying,spot,expiry,…` with compact dates."""
    return as_text(
        "date,underlying,spot,expiry,strike,right,open_interest,volume,implied_volatility",
        [
            (f"{day:%Y%m%d}", "TEST", spot, f"{expiry:%Y%m%d}.0", strike, side, interest, volume, iv)
            for day, spot, expiry, strike, side, iv, interest, volume in rows
        ],
    )


SHAPES = {
    "compact dates": daily_file,
    "quotedate": lambda rows: as_text(
        "quotedate,underlying_last,optionroot,type,expiration,strike,bid,ask,last,volume,openinterest,impliedvol",
        [
            (
                *(day, spot, contract("TEST", expiry, side, strike), NAMES[side], expiry, strike, 1, 2, 1, volume),
                interest,
                iv,
            )
            for day, spot, expiry, strike, side, iv, interest, volume in rows
        ],
    ),
    "end of day calcs": lambda rows: as_text(
        "underlying_symbol,quote_date,root,expiration,strike,option_type,trade_volume,underlying_bid_1545,"
        "implied_volatility_1545,open_interest",
        [
            ("TEST", day, "TEST", expiry, strike, side, volume, spot, iv, interest)
            for day, spot, expiry, strike, side, iv, interest, volume in rows
        ],
    ),
    "US dates": lambda rows: as_text(
        "UnderlyingSymbol,UnderlyingPrice,Type,Expiration,DataDate,Strike,Volume,OpenInterest,IV",
        [
            (*("TEST", spot, NAMES[side], f"{expiry:%m/%d/%Y}", f"{day:%m/%d/%Y}", strike), volume, interest, iv)
            for day, spot, expiry, strike, side, iv, interest, volume in rows
        ],
    ),
    "contracts only": lambda rows: as_text(
        "contractSymbol,quote_date,underlying_price,volume,openInterest,impliedVolatility",
        [
            (contract("TEST", expiry, side, strike), day, spot, volume, interest, iv)
            for day, spot, expiry, strike, side, iv, interest, volume in rows
        ],
    ),
    "semicolons, percent, decimal commas": lambda rows: as_text(
        "Symbol;Quote Date;Spot;Expiry Date;Strike Price;Call/Put;IV;OI;Vol",
        [
            (
                *("TEST", day, f"{spot:.2f}".replace(".", ","), expiry, f"{strike:.1f}".replace(".", ","), side),
                f"{100 * iv:.1f}".replace(".", ","),
                interest,
                volume,
            )
            for day, spot, expiry, strike, side, iv, interest, volume in rows
        ],
        ";",
    ),
    "a line above": lambda rows: "Options of TEST\n\n" + daily_file(rows),
}
