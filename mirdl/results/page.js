"use strict";
// Each song: its player, and the line of time over what is drawn under it.
const sounds = document.querySelectorAll("audio");
for (const song of document.querySelectorAll(".song")) {
  const sound = song.querySelector("audio");
  if (!sound) continue;
  const line = song.querySelector("input");
  const now = song.querySelector(".now");
  const segments = [...song.querySelectorAll("[data-end]")];

  const show = () => {
    const time = sound.currentTime;
    const tag = segments.find(each => time < each.dataset.end) ?? segments.at(-1);
    line.value = time;
    line.ariaValueText = now.textContent = `${time.toFixed(1)} s: ${tag.textContent}`;
  };
  const follow = () => {
    show();
    if (!sound.paused) requestAnimationFrame(follow);
  };
  const go = time => {
    sound.currentTime = Math.max(0, Math.min(time, line.max));
    show();
  };
  sound.addEventListener("play", () => {
    for (const other of sounds) if (other !== sound) other.pause();
    follow();
  });
  sound.addEventListener("seeked", show);
  line.addEventListener("input", () => go(line.value));
  line.addEventListener("click", () => sound.play());
  line.addEventListener("keydown", event => {
    const step = {ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1}[event.key];
    if (step) go(sound.currentTime + step);
    else if (event.key === "Enter" || event.key === " ") sound.paused ? sound.play() : sound.pause();
    else return;
    event.preventDefault();
  });
}
