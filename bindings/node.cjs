// Preloaded by the Node that runs jsii. Where anything is not as expected, Node goes on as it would by itself.
'use strict';
const fs = require('fs');
const path = require('path');
const Module = require('module');
const { Writable } = require('stream');
const threads = require('worker_threads');
const lean = require('./lean.cjs');

// cdktf calls util.isArray, which newer Nodes announce as deprecated at every run; nobody here can act on it.
process.noDeprecation = true;

const MEMORY = path.join(__dirname, '..', '.cache', 'bindings');
const PACKAGE = /[\\/]jsii[\\/]package-cache[\\/]/;
const PROGRAM = /[\\/]_embedded[\\/]jsii[\\/]lib__program\.js$/;
const KERNEL = /[\\/]jsii-kernel-[^\\/]+$/;
const CORE = /[\\/]cdkt[fn][\\/](.*[\\/])?lib[\\/]index\.js$/;
const PROVIDER = /[\\/]@cdkt[fn][\\/]provider-[a-z]+[\\/](.*[\\/])?lib[\\/]index\.js$/;
const LAZY = /[\\/]@cdkt[fn][\\/]provider-[a-z]+[\\/](.*[\\/])?lib[\\/]lazy-index\.js$/;

const resolve = Module._resolveFilename;
const load = Module._load;
let kernel; // how jsii itself looks for a package: in the folder into which it links those that it loads

// Node finds the packages where jsii's cache keeps them. From there they do not see each other: what one of them cannot find, the kernel can.
function resolved(request, parent, ...rest) {
  if (!kernel && parent && KERNEL.test(parent.id) && rest[1] && rest[1].paths) {
    kernel = [parent, ...rest];
    attempt(remember);
  }
  const beside = kernel && request[0] === '.' && PACKAGE.test(parent.filename) ? path.join(path.dirname(parent.filename), request) : '';
  for (const end of beside && ['.js', '/index.js']) if (fs.existsSync(beside + end)) return beside + end;
  try {
    return resolve.call(Module, request, parent, ...rest);
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND' || !kernel) throw error;
    return resolve.call(Module, request, ...kernel);
  }
}

// A provider's index.js requires thousands of files; the lazy-index.js beside it requires one when a class of it is used.
function lazily(found) {
  const lazy = path.join(path.dirname(found), 'lazy-index.js');
  return PROVIDER.test(found) && fs.existsSync(lazy) ? lazy : found;
}

// node.py starts jsii's program itself, where jsii would start it through a launcher.
function prepare(found, isMain) {
  if (!isMain || !threads.isMainThread || !PROGRAM.test(found)) return;
  process.execArgv.push('--preserve-symlinks'); // as the launcher does: jsii links packages then, and copies them otherwise
  talkToPython();
  finishIndexes();
  attempt(keepCompiled);
  attempt(lean.readDefinitionsInParts);
  attempt(lean.leaveOutMaps);
  attempt(() => atExit(lean.rememberDigests(path.join(MEMORY, 'digests.json'))));
}

// The program reads and writes messages at 3; here they are standard input and output. What JavaScript prints travels as jsii has it.
function talkToPython() {
  const { readSync, writeSync } = fs;
  fs.readSync = (descriptor, ...rest) => readSync(descriptor === 3 ? 0 : descriptor, ...rest);
  fs.writeSync = (descriptor, ...rest) => writeSync(descriptor === 3 ? 1 : descriptor, ...rest);
  for (const name of ['stdout', 'stderr']) {
    const write = (bytes, _, done) => {
      writeSync(2, JSON.stringify({ [name]: bytes.toString('base64') }) + '\n');
      done();
    };
    Object.defineProperty(process, name, { value: new Writable({ write }), configurable: true, enumerable: true });
  }
}

// In its first run jsii has a thread write an index of each package, without which every run reads 131 MB of JSON. It is fast enough here to end
// before them, and would never have one: it ends after them instead.
function finishIndexes() {
  let running = 0;
  threads.Worker = class extends threads.Worker {
    constructor(file, ...args) {
      super(path.join(path.dirname(file), `lib__${path.basename(file)}`), ...args); // its name where it is installed
      running += 1;
      this.once('exit', () => { running -= 1; });
    }
  };
  const { exit } = process;
  process.exit = (code) => {
    if (!running) exit(code);
    process.stderr.write('jsii writes an index of the providers, once ...\n');
    process.exitCode = code;
  };
}

function keepCompiled() {
  fs.mkdirSync(MEMORY, { recursive: true });
  if (Module.enableCompileCache) Module.enableCompileCache(path.join(MEMORY, 'compiled'));
}

// A list of the provider's files that the last run used is kept: they are required with it the next time, while Python imports its own side.
function remember() {
  const list = path.join(MEMORY, 'used.json');
  const before = fs.existsSync(list) ? fs.readFileSync(list, 'utf8') : '[]';
  const expected = JSON.parse(before);
  const used = new Set();
  Module._load = function (request, ...rest) {
    if (request === lean.PACKER && PACKAGE.test(rest[0].filename)) return lean.later(rest[0], load);
    const loaded = load.call(this, request, ...rest);
    if (LAZY.test(request)) {
      const beside = path.dirname(request) + path.sep;
      for (const file of expected) if (file.startsWith(beside)) attempt(() => load.call(this, file, ...rest));
    }
    if (rest[0] && LAZY.test(rest[0].filename)) used.add(path.join(path.dirname(rest[0].filename), request, 'index.js'));
    if (CORE.test(request)) attempt(() => forgetTraces(load.call(this, path.join(path.dirname(request), 'tokens/private/stack-trace.js'), ...rest)));
    return loaded;
  };
  atExit(() => {
    const now = JSON.stringify([...used].sort());
    if (used.size && now !== before) lean.replace(list, now);
  });
}

// Every token keeps the stack of its creation for error messages; it is jsii's own at each of them, and says nothing about the Python program.
function forgetTraces(traces) {
  traces.captureStackTrace = () => [];
}

function atExit(step) {
  process.on('exit', () => attempt(step));
}

function attempt(step) {
  try {
    step();
  } catch { /* slower, and right all the same */ }
}

if (typeof resolve === 'function' && typeof load === 'function') {
  Module._resolveFilename = function (request, parent, isMain, ...rest) {
    const found = resolved(request, parent, isMain, ...rest);
    attempt(() => prepare(found, isMain));
    try {
      return lazily(found);
    } catch {
      return found;
    }
  };
}
