// Draws every chart of the page: <div class="chart" data-chart="NAME"> by the Vega-Lite
// specification in <script id="NAME-data">. Colours of axes and texts are the page's own.
"use strict";
(() => {
  const text = { labelColor: "currentColor", titleColor: "currentColor", labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" };
  const config = {
    background: null,
    font: "system-ui, sans-serif",
    view: { stroke: null },
    axis: { ...text, domainColor: "currentColor", tickColor: "currentColor", gridColor: "currentColor", gridOpacity: 0.12, domainOpacity: 0.5, tickOpacity: 0.5 },
    legend: { ...text, symbolType: "stroke", symbolStrokeWidth: 3, labelLimit: 220 },
    text: { color: "currentColor" },
  };
  // `ast` has expressions interpreted: the page's policy allows no code made from text.
  const options = { renderer: "svg", actions: false, ast: true, defaultStyle: false, config, tooltip: { disableDefaultStyle: true, theme: "page" } };

  async function draw(place) {
    const source = document.getElementById(place.dataset.chart + "-data");
    const specification = JSON.parse(source.textContent);
    await vegaEmbed(place, { width: "container", height: 220, autosize: { type: "fit-x", contains: "padding" }, ...specification }, options);
    place.classList.add("drawn");
    performance.mark("drawn " + place.dataset.chart);
  }

  // One after the other, with a pause for the browser in between, so that the page answers at once.
  async function drawAll() {
    for (const place of document.querySelectorAll(".chart")) {
      await draw(place).catch((error) => {
        place.textContent = "This chart could not be drawn; its numbers are below.";
        console.error(error);
      });
      await new Promise((resolve) => setTimeout(resolve));
    }
    performance.mark("charts-drawn");
  }
  drawAll();
})();
