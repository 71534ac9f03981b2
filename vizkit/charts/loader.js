// Runs the chart's script, once for all charts of a page that have the same, and hands it the numbers. A chart that
// is followed moves into its new place at once, before its new numbers are unpacked: nothing flickers.
(() => {
  const before = document.currentScript && document.currentScript.previousElementSibling;
  const host = before && before.id === "$id" ? before : document.getElementById("$id");
  if (!host || typeof DecompressionStream === "undefined") return;
  const unpacked = (text) => {
    const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")));
  };
  const engines = (window.vizkitEngines = window.vizkitEngines || {});
  engines["$digest"] =
    engines["$digest"] ||
    unpacked("$engine")
      .text()
      .then((code) => {
        const element = document.createElement("script");
        element.textContent = code;
        document.head.append(element);
        element.remove();
        return window.vizkitChart;
      });
  const known = (window.vizkitLive || {})["$live"];
  if (known) known.adopt(host);
  Promise.all([engines["$digest"], unpacked("$data").arrayBuffer()]).then(([engine, body]) => engine.show(host, body, "$live"));
})();
