#!/usr/bin/env node
/**
 * Builds a component from a plugin's module: esbuild bundles the module and its imports into one file, and
 * componentize-js puts a JavaScript engine around it.
 *
 * The sandbox has no network, so the engine is built without it. The engine gets its clocks, random numbers and console
 * from the host: clocks stand still, random numbers are always the same, and `console.log` writes log lines.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { componentize } from "@bytecodealliance/componentize-js";
import * as esbuild from "esbuild";

const [entry, wit, out] = process.argv.slice(2);
if (!out) {
  console.error("usage: loader-plugin-build PLUGIN.js FOLDER_OF_THE_CONTRACT OUT.wasm");
  process.exit(2);
}
const folder = await mkdtemp(join(tmpdir(), "loader-sdk-"));
try {
  const bundle = join(folder, "plugin.js");
  await esbuild.build({ entryPoints: [entry], outfile: bundle, bundle: true, format: "esm", external: ["loader:*"] });
  const disableFeatures = ["http", "fetch-event"];
  const { component } = await componentize({ sourcePath: bundle, witPath: wit, worldName: "plugin", disableFeatures });
  await writeFile(out, component);
} finally {
  await rm(folder, { recursive: true });
}
