// One HTML file with everything in it but the data, which cheart puts where <!--DATA--> stands.
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "src", "cheart", "web");
const need = createRequire(import.meta.url);

async function licences(names) {
  const texts = names.map(async (name) => {
    const folder = join(here, "node_modules", name);
    const about = need(join(folder, "package.json"));
    const files = ["LICENSE", "LICENSE.md"].map((file) =>
      readFile(join(folder, file), "utf8").catch(() => ""),
    );
    const text = (await Promise.all(files)).find((t) => t) || `${about.license}`;
    return `${name} ${about.version}\n${text.trim()}`;
  });
  return (await Promise.all(texts)).join("\n\n");
}

async function bundle(entry, loader) {
  const made = await build({
    entryPoints: [join(here, "src", entry)],
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: ["es2020"],
    legalComments: "none",
    charset: "utf8",
    loader,
  });
  return made.outputFiles[0].text;
}

const script = (await bundle("main.js")).replaceAll("</script", "<\\/script");
const style = await bundle("style.css");
const notice = (await licences(["three", "gifenc"])).replaceAll("--", "- -");
const shell = await readFile(join(here, "src", "page.html"), "utf8");
const page = shell
  .replace("/*STYLE*/", () => style)
  .replace("/*SCRIPT*/", () => script)
  .replace("NOTICE", () => notice);

await mkdir(out, { recursive: true });
await writeFile(join(out, "page.html.new"), page);
await rename(join(out, "page.html.new"), join(out, "page.html"));
console.log(`src/cheart/web/page.html ${(page.length / 1e3).toFixed(0)} kB`);
