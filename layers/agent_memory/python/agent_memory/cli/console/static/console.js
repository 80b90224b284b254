// Keys, times in UTC or local, theme, filters in the address, pictures, and questions before what writes.
(() => {
  "use strict";

  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // --- theme and time zone -------------------------------------------------------------------

  // The first step is away from what the system shows, so that it can be seen.
  const THEMES = matchMedia("(prefers-color-scheme: dark)").matches ? ["", "light", "dark"] : ["", "dark", "light"];

  function switchTheme() {
    const next = THEMES[(THEMES.indexOf(localStorage.getItem("theme") || "") + 1) % THEMES.length];
    localStorage.setItem("theme", next);
    if (next) document.documentElement.dataset.theme = next;
    else delete document.documentElement.dataset.theme;
    showTheme();
    document.dispatchEvent(new Event("console:theme"));
  }

  function showTheme() {
    const theme = localStorage.getItem("theme") || "";
    all("[data-theme-switch]").forEach((one) => (one.textContent = { "": "Auto", light: "Light", dark: "Dark" }[theme]));
  }

  const isLocal = () => localStorage.getItem("zone") === "local";
  const two = (number) => String(number).padStart(2, "0");

  function localText(at) {
    const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
    return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  }

  function showTimes(root = document) {
    all("time[datetime]", root).forEach((one) => {
      const iso = one.getAttribute("datetime");
      const utc = iso.slice(0, 19).replace("T", " ");
      const local = localText(new Date(iso));
      one.textContent = isLocal() ? local : utc;
      one.title = isLocal() ? `${utc} UTC` : `${local} local`;
    });
    all("[data-time]", root).forEach((one) => {
      const iso = one.dataset.time;
      one.textContent = isLocal() ? localText(new Date(iso)) : iso.slice(0, 19).replace("T", " ");
    });
    all("[data-zone-switch]").forEach((one) => (one.textContent = isLocal() ? "Local" : "UTC"));
  }

  function switchZone() {
    localStorage.setItem("zone", isLocal() ? "utc" : "local");
    showTimes();
  }

  // --- keys ----------------------------------------------------------------------------------

  const PLACES = { o: "", d: "/decisions", m: "/memories", n: "/nightly", a: "/archive" };
  let isGoing = false;

  function moveRow(step) {
    const rows = all("tr[data-row]");
    if (!rows.length) return;
    const now = rows.indexOf(document.activeElement.closest("tr[data-row]"));
    const next = rows[Math.min(rows.length - 1, Math.max(0, now < 0 ? 0 : now + step))];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }

  const FIND = "#find";

  function focusSearch() {
    const search = document.querySelector("[data-search]");
    if (!search) return false;
    search.focus();
    search.select();
    return true;
  }

  function go(key, hash = "") {
    const select = document.querySelector("[data-agent]");
    if (key in PLACES && select && select.value) location.assign(`/agents/${select.value}${PLACES[key]}${asOf()}${hash}`);
  }

  // The time that this page is shown as of, for the page that follows.
  function asOf() {
    const found = new URLSearchParams(location.search).get("as_of");
    return found ? `?${new URLSearchParams({ as_of: found })}` : "";
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isTyping = event.target.closest("input, textarea, select");
    if (event.key === "Escape" && isTyping) return event.target.blur();
    if (isTyping || document.querySelector("dialog[open]")) return;
    if (isGoing) {
      isGoing = false;
      return go(event.key);
    }
    const row = event.target.closest("tr[data-row]");
    if (event.key === "/") {
      event.preventDefault();
      if (!focusSearch()) go("d", FIND);
    } else if (event.key === "j") moveRow(1);
    else if (event.key === "k") moveRow(-1);
    else if (event.key === "g") isGoing = true;
    else if (event.key === "t") switchZone();
    else if (event.key === "?") document.getElementById("help").showModal();
    else if (event.key === "Enter" && row && event.target === row) {
      const link = row.querySelector("a[href]");
      if (link) link.click();
    }
  }

  // --- pictures ------------------------------------------------------------------------------

  const COPIED = ["fill", "stroke", "stroke-width", "font-size", "font-family", "font-weight", "opacity"];

  function save(canvas, name) {
    canvas.toBlob((blob) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = `${name}.png`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
  }

  function onSurface(width, height) {
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--surface-now") || "#ffffff";
    context.fillStyle = getComputedStyle(document.querySelector("section, body")).backgroundColor;
    context.fillRect(0, 0, width, height);
    return [canvas, context];
  }

  function saveDrawing(svg, name) {
    const copy = svg.cloneNode(true);
    const originals = [svg, ...all("*", svg)];
    [copy, ...all("*", copy)].forEach((one, number) => {
      const style = getComputedStyle(originals[number]);
      COPIED.forEach((property) => one.setAttribute(property, style.getPropertyValue(property)));
    });
    const { width, height } = svg.getBoundingClientRect();
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    const image = new Image();
    image.onload = () => {
      const [canvas, context] = onSurface(2 * width, 2 * height);
      context.drawImage(image, 0, 0, 2 * width, 2 * height);
      save(canvas, name);
    };
    image.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  }

  function onPicture(link) {
    const place = link.closest("figure, section");
    const drawn = place.querySelector("canvas");
    if (!drawn) return saveDrawing(place.querySelector("svg.graph"), link.dataset.png);
    const [canvas, context] = onSurface(drawn.width, drawn.height);
    context.drawImage(drawn, 0, 0);
    save(canvas, link.dataset.png);
  }

  // --- events --------------------------------------------------------------------------------

  document.addEventListener("keydown", onKey);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-png]");
    if (link) {
      event.preventDefault();
      onPicture(link);
    }
    if (event.target.closest("[data-theme-switch]")) switchTheme();
    if (event.target.closest("[data-zone-switch]")) switchZone();
    if (event.target.closest("[data-help]")) document.getElementById("help").showModal();
    const row = event.target.closest("tr[data-row]");
    if (row && !event.target.closest("a, button") && !String(getSelection())) {
      const own = row.querySelector("a[href]");
      if (own) own.click();
    }
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-agent]"))
      location.assign(event.target.value ? `/agents/${event.target.value}${asOf()}` : "/agents");
  });
  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-days-back]")) return;
    const day = new Date(Date.parse(event.target.dataset.now) + event.target.value * 86400000);
    const field = event.target.form.elements.as_of;
    field.value = event.target.value === "0" ? "" : day.toISOString().slice(0, 10);
    event.target.form.querySelector("[data-days]").textContent = -event.target.value;
  });
  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-as-of-form]");
    if (!form) return;
    if (!form.elements.as_of.value) form.elements.as_of.disabled = true;
    form.requestSubmit();
  });
  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !confirm(question)) event.preventDefault();
  });
  // Links that are sent to others name only the filters that are set.
  document.addEventListener("htmx:configRequest", (event) => {
    const { parameters, verb } = event.detail;
    if (verb === "get") Object.keys(parameters).forEach((name) => parameters[name] || delete parameters[name]);
  });
  document.addEventListener("htmx:afterSwap", () => showTimes());
  document.addEventListener("htmx:sendError", () => (document.getElementById("outage").hidden = false));
  document.addEventListener("htmx:afterOnLoad", () => (document.getElementById("outage").hidden = true));

  // What is shown stands in view where its row of links, or its chain, is wider than the screen.
  function showCurrent() {
    const link = document.querySelector(".side [aria-current]");
    const list = link && link.closest("ul");
    if (list) list.scrollLeft = link.offsetLeft - list.offsetLeft - (list.clientWidth - link.clientWidth) / 2;
    const node = document.querySelector(".graph .node.own");
    if (!node) return;
    const graph = node.closest(".scroll");
    const box = node.getBoundingClientRect();
    graph.scrollLeft += box.left - graph.getBoundingClientRect().left - (graph.clientWidth - box.width) / 2;
  }

  showTheme();
  showTimes();
  showCurrent();
  if (location.hash === FIND) focusSearch();
})();
