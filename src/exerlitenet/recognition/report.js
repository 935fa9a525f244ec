// Reads values off the drawing: by the pointer, or by the slider beneath it.
for (const figure of document.querySelectorAll("figure[data-chart]")) {
  const data = JSON.parse(figure.querySelector("script").textContent);
  const svg = figure.querySelector(".scroll svg"), line = svg.querySelector(".cursor");
  const range = figure.querySelector("input"), output = figure.querySelector("output");
  const left = +svg.dataset.left, right = +svg.dataset.right, duration = +svg.dataset.duration;
  const width = svg.viewBox.baseVal.width;
  const show = (index) => {
    const [time, phaseTime, phase, ...shares] = data.rows[index];
    const at = left + Math.min(Math.max(time, 0), duration) / duration * (width - left - right);
    line.setAttribute("x1", at); line.setAttribute("x2", at); line.setAttribute("visibility", "visible");
    const words = data.classes.map((name, k) => `${name} ${(100 * shares[k]).toFixed(0)} %`);
    if (phase !== null) words.push(`phase ${phase.toFixed(2)} at ${phaseTime.toFixed(1)} s`);
    output.textContent = `Window that ends at ${time.toFixed(1)} s: ${words.join(", ")}`;
    range.setAttribute("aria-valuetext", output.textContent);
  };
  figure.querySelector(".lookup").hidden = false;
  range.addEventListener("input", () => show(+range.value));
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const time = ((event.clientX - box.left) / box.width * width - left) / (width - left - right) * duration;
    let low = 0, high = data.rows.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (data.rows[middle][0] < time) low = middle + 1; else high = middle;
    }
    if (low > 0 && time - data.rows[low - 1][0] < data.rows[low][0] - time) low -= 1;
    range.value = low; show(low);
  });
}
