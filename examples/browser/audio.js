import { connect, show } from "./connect.js";

const element = (id) => document.querySelector(`#${id}`);

// Browsers allow audio only after the user has interacted with the page.
element("play").addEventListener("click", async () => {
  element("play").disabled = true;
  try {
    const computer = await connect();
    const audio = await computer.audio();
    audio.on("state", (now) => show(element("state"), now));
    show(element("state"), audio.state);
    const player = await audio.play({ volume: Number(element("volume").value) });
    element("volume").addEventListener("input", () => (player.volume = Number(element("volume").value)));
    const draw = () => {
      element("level").value = player.stats.peak ?? 0;
      element("stats").textContent = JSON.stringify(player.stats, null, 2);
      requestAnimationFrame(draw);
    };
    draw();
  } catch (error) {
    show(element("state"), error);
    element("play").disabled = false;
  }
});
