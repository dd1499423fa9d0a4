// node agree.mjs PAGE.html CASES.json: what the page's own sources make of people and latents, as JSON.
import { readFile } from "node:fs/promises";
import { readArrays } from "./src/data.js";
import { Model } from "./src/model.js";

const [page, cases] = await Promise.all(process.argv.slice(2, 4).map((path) => readFile(path, "utf8")));
const data = JSON.parse(page.match(/id="cheart-data">(.*?)<\/script>/s)[1]);
const model = new Model(data, await readArrays(data.arrays));
const made = JSON.parse(cases).map(({ person, latent }) => {
  const values = Float32Array.from(latent);
  const { coefficients, scores } = model.layers(person, values);
  const beat = model.beat(person, values);
  return {
    coefficients: [...coefficients.values],
    scores: [...scores.values],
    vertices: [...beat.vertices[3]],
    curves: beat.curves,
    quick: model.quickCurves(scores),
  };
});
process.stdout.write(JSON.stringify(made));
