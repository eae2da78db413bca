/** Load the function's handler, from CommonJS or an ES module, with the SDK at hand. */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import Module, { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { Fault } from "./node_api.mjs";

const MAX_CHECKED = 20;
const SDK = /^(@aws-crypto|@aws-sdk|@smithy|aws-sdk)(\/|$)/;
const SDK_HOOK = `let parentURL;
export function initialize(given) { ({ parentURL } = given); }
export async function resolve(name, context, next) {
  try {
    return await next(name, context);
  } catch (error) {
    if (!${SDK}.test(name)) throw error;
    return next(name, { ...context, parentURL });
  }
}`;

/**
 * Lambda's runtime has the AWS SDK. Here it is taken from the source's node_modules or one above,
 * as a development dependency, where the code brings none. Other packages are not: Lambda lacks
 * them.
 */
export function useSdk(root, source) {
  if (existsSync(path.join(root, "node_modules/@aws-sdk"))) return;
  let folder = source;
  while (!existsSync(path.join(folder, "node_modules/@aws-sdk"))) {
    if (folder === path.dirname(folder)) return;
    folder = path.dirname(folder);
  }
  const inside = path.join(folder, "index.js");
  const find = Module._resolveFilename;
  Module._resolveFilename = function (name, ...more) {
    try {
      return find.call(this, name, ...more);
    } catch (error) {
      if (!SDK.test(name)) throw error;
      return createRequire(inside).resolve(name);
    }
  };
  if (Module.register) {
    const hook = `data:text/javascript,${encodeURIComponent(SDK_HOOK)}`;
    Module.register(hook, { data: { parentURL: pathToFileURL(inside).href } });
  }
}

/** Whether the nearest package.json makes .js files ES modules. */
function isModuleFolder(file, root) {
  let folder = path.dirname(file);
  for (;;) {
    const about = path.join(folder, "package.json");
    if (existsSync(about)) {
      try {
        return JSON.parse(readFileSync(about, "utf8")).type === "module";
      } catch {
        return false;
      }
    }
    if (folder === root || folder === path.dirname(folder)) return false;
    folder = path.dirname(folder);
  }
}

function isFile(file) {
  return existsSync(file) && statSync(file).isFile();
}

async function loadModule(base, root) {
  const endings = ["", ".js", ".mjs", ".cjs", "/index.js", "/index.mjs", "/index.cjs"];
  const file = endings.map((ending) => base + ending).find(isFile);
  if (!file) {
    throw Object.assign(new Error(`Cannot find module '${path.relative(root, base)}'`), {
      code: "MODULE_NOT_FOUND",
    });
  }
  const isModule = file.endsWith(".mjs") || (file.endsWith(".js") && isModuleFolder(file, root));
  return isModule ? import(pathToFileURL(file).href) : createRequire(file)(file);
}

/** The function's own scripts, without its packages. */
function ownScripts(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const inner = path.join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : ownScripts(inner);
    return /\.[cm]?js$/.test(entry.name) ? [inner] : [];
  });
}

/** Where a syntax error is. Node shows it for CommonJS only; otherwise each script is checked. */
function placeOf(error, root) {
  const lines = String(error.stack).split("\n");
  const isShown = !lines[0].startsWith("SyntaxError");
  const texts = isShown ? [] : ownScripts(root).slice(0, MAX_CHECKED).map(checked);
  const text = texts.find((one) => one.includes(error.message)) || lines.join("\n");
  return text.split("\n").filter((line) => line && !/^\s+at |^Node\.js v/.test(line)).join("\n");
}

function checked(file) {
  return String(spawnSync(process.execPath, ["--check", file]).stderr || "");
}

/**
 * Import the module and find the handler in it.
 * Throws a Fault in Lambda's words, and whatever the module throws.
 */
export async function load(handler, root) {
  const folder = handler.slice(0, handler.lastIndexOf("/") + 1);
  const [name, ...names] = handler.slice(folder.length).split(".");
  if (!name || !names.length) throw new Fault("Runtime.MalformedHandlerName", "Bad handler");
  let loaded;
  try {
    loaded = await loadModule(path.resolve(root, folder, name), root);
  } catch (error) {
    const codes = ["MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND"];
    if (error instanceof SyntaxError) {
      const text = `SyntaxError: ${error.message}`;
      throw new Fault("Runtime.UserCodeSyntaxError", text, placeOf(error, root));
    }
    if (error && codes.includes(error.code)) {
      throw new Fault("Runtime.ImportModuleError", `Error: ${error.message}`, error.stack);
    }
    throw error;
  }
  const pick = (from) => names.reduce((inner, key) => inner && inner[key], from);
  const found = pick(loaded) || pick(loaded && loaded.default);
  if (!found) {
    throw new Fault("Runtime.HandlerNotFound", `${handler} is undefined or not exported`);
  }
  if (typeof found !== "function") {
    throw new Fault("Runtime.HandlerNotFound", `${handler} is not a function`);
  }
  return found;
}
