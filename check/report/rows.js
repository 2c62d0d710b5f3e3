// Sorting and filtering for pages that are complete without it: rows carry data-v (their verdicts,
// with bars in between) and data-c (chapter), the form #tools is hidden until this runs.
(function () {
  "use strict";
  function all(selector, root) { return Array.prototype.slice.call((root || document).querySelectorAll(selector)); }
  var tools = document.getElementById("tools"), items = all("[data-v]");
  function texts(e) { return e.text || (e.text = e.textContent.toLowerCase()); }
  function filter() {
    var words = tools.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean), shown = 0;
    items.forEach(function (e) {
      var v = tools.elements.verdict.value, c = tools.elements.chapter.value;
      e.hidden = !!(v && e.dataset.v.split("|").indexOf(v) < 0 || c && e.dataset.c !== c ||
        words.some(function (w) { return texts(e).indexOf(w) < 0; }));
      if (!e.hidden) shown++;
    });
    all("section").forEach(function (s) {
      var inside = all("[data-v]", s);
      s.hidden = inside.length > 0 && inside.every(function (e) { return e.hidden; });
    });
    tools.elements.shown.value = shown === items.length ? "" : shown + " of " + items.length + " shown";
  }
  function reveal() { // what a link leads to is shown, whatever was filtered or folded
    var target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (tools && target.closest("[hidden]")) { tools.reset(); filter(); }
    for (var e = target; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
    target.scrollIntoView();
  }
  function key(row, column) {
    var cell = row.children[column];
    return cell.dataset.k !== undefined ? Number(cell.dataset.k) : cell.textContent.trim();
  }
  function sort(table, column, down) {
    var body = table.tBodies[0], rows = Array.prototype.slice.call(body.rows);
    rows.sort(function (a, b) {
      var x = key(a, column), y = key(b, column);
      var order = typeof x === "number" ? x - y : x.localeCompare(y, "en", { numeric: true });
      return down ? -order : order;
    });
    rows.forEach(function (row) { body.appendChild(row); });
  }
  all("table.rows").forEach(function (table) {
    var heads = all("thead th", table);
    heads.forEach(function (th, column) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = th.textContent;
      th.textContent = "";
      th.appendChild(button);
      button.addEventListener("click", function () {
        var down = th.getAttribute("aria-sort") === "ascending";
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        th.setAttribute("aria-sort", down ? "descending" : "ascending");
        sort(table, column, down);
      });
    });
  });
  if (tools) {
    tools.hidden = false;
    tools.addEventListener("input", filter);
    tools.addEventListener("submit", function (e) { e.preventDefault(); });
    tools.addEventListener("reset", function () { setTimeout(filter); });
    all("[data-pick]").forEach(function (link) {
      link.addEventListener("click", function () {
        tools.reset();
        tools.elements.verdict.value = link.dataset.pick;
        filter();
      });
    });
    filter(); // a browser that comes back to the page has kept what was typed
  }
  window.addEventListener("hashchange", reveal);
  window.addEventListener("beforeprint", function () { all("details").forEach(function (d) { d.open = true; }); });
  reveal();
})();
