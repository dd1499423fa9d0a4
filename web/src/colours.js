// Colours that every common colour blindness keeps apart; those of structures are cheart.labels.COLOURS.

export const COLOURS = { lv: "#cc3e24", myo: "#eac896", rv: "#1468b0" };

export const TITLES = { lv: "LV cavity", myo: "LV wall", rv: "RV cavity" };

// viridis (CC0, van der Walt and Smith), nine of its colours
const STOPS = ["440154", "472d7b", "3b528b", "2c728e", "21918c", "28ae80", "5ec962", "addc30", "fde725"].map(
  (hex) => [0, 2, 4].map((i) => (Number.parseInt(hex.slice(i, i + 2), 16) / 255) ** 2.2),
);

/** Write the colour of a number from 0 to 1 as three linear numbers. */
export function colourAt(value, out, at) {
  const place = Math.min(Math.max(Number.isNaN(value) ? 0 : value, 0), 1) * (STOPS.length - 1);
  const low = Math.min(Math.floor(place), STOPS.length - 2);
  const part = place - low;
  for (let i = 0; i < 3; i += 1) out[at + i] = STOPS[low][i] + part * (STOPS[low + 1][i] - STOPS[low][i]);
}

/** The scale as a CSS gradient. */
export function gradient() {
  const rgb = new Float32Array(3);
  const stops = Array.from({ length: 9 }, (_, i) => {
    colourAt(i / 8, rgb, 0);
    return `rgb(${[...rgb].map((v) => Math.round(255 * v ** (1 / 2.2))).join(" ")})`;
  });
  return `linear-gradient(90deg, ${stops.join(", ")})`;
}
