// Draws every plot of a sweep's page: <div class="plot" data-plot="NAME"> by the figure in
// <script id="NAME-figure">. One after the other, so that the page answers in between.
"use strict";
(() => {
  // A drag zooms and a double click goes back; where a finger drags, it scrolls the page.
  const config = { displayModeBar: false, responsive: true };
  const dragmode = matchMedia("(pointer: coarse)").matches ? false : "zoom";

  async function draw(place) {
    const source = document.getElementById(place.dataset.plot + "-figure");
    const figure = JSON.parse(source.textContent);
    place.style.minWidth = place.dataset.width + "px";
    place.style.height = place.dataset.height + "px";
    const layout = { ...figure.layout, autosize: true, dragmode, paper_bgcolor: "#ffffff", plot_bgcolor: "#ffffff" };
    layout.margin = { l: 64, r: 24, t: 36, b: 56, ...layout.margin };
    layout.font = { family: "system-ui, sans-serif", color: "#1b2127", ...layout.font };
    await Plotly.newPlot(place, figure.data, layout, config);
    place.classList.add("drawn");
  }

  async function drawAll() {
    for (const place of document.querySelectorAll(".plot")) {
      await draw(place).catch((error) => {
        place.textContent = "This plot could not be drawn; the table of trials has its numbers.";
        console.error(error);
      });
      await new Promise((resolve) => setTimeout(resolve));
    }
    performance.mark("plots-drawn");
  }
  drawAll();
})();
