#!/usr/bin/env node
/**
 * From a plugin's module to a component: esbuild makes one file of it, componentize-js puts a JavaScript engine around.
 *
 * There is no network in the sandbox, so the engine goes without. Its clocks, random numbers and console are the
 * host's: clocks stand still, random numbers are always the same, and what is printed becomes log lines.
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
