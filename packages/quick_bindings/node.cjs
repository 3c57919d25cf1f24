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

// What quick_bindings says: the engine's package, a folder to keep things in, and optimizations that are left out.
const { core, keep: MEMORY, without = [] } = JSON.parse(process.env.QUICK_BINDINGS || '{}');
const told = new Set();
const PACKAGE = /[\\/]jsii[\\/]package-cache[\\/]/;
const PROGRAM = /[\\/]_embedded[\\/]jsii[\\/]lib__program\.js$/;
const KERNEL = /[\\/]jsii-kernel-[^\\/]+$/;
const file = (...parts) => new RegExp(['', ...parts].join('[\\\\/]') + '$');
const CORE = file(core, '(.*[\\\\/])?lib', 'index\\.js');
const PROVIDER = file(`@${core}`, 'provider-[a-z]+', '(.*[\\\\/])?lib', 'index\\.js');
const LAZY = file(`@${core}`, 'provider-[a-z]+', '(.*[\\\\/])?lib', 'lazy-index\\.js');

const resolve = Module._resolveFilename;
const load = Module._load;
let kernel; // how jsii itself looks for a package: in the folder into which it links those that it loads

// Node finds the packages where jsii's cache keeps them. From there they do not see each other: what one of them cannot find, the kernel can.
function resolved(request, parent, ...rest) {
  if (!kernel && parent && KERNEL.test(parent.id) && rest[1] && rest[1].paths) {
    kernel = [parent, ...rest];
    watchLoading();
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
  attempt('compiled', keepCompiled);
  attempt('definitions', lean.readDefinitionsInParts);
  attempt('maps', lean.leaveOutMaps);
  attempt('digests', () => atExit('digests', lean.rememberDigests(path.join(MEMORY, 'digests.json'))));
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
  if (!Module.enableCompileCache) throw new Error(`Node ${process.version} has no compile cache; 22 has`);
  Module.enableCompileCache(path.join(MEMORY, 'compiled'));
}

// What happens when a file is loaded. A list of the provider's files that the last run used is kept: they are required with it the next time,
// while Python imports its own side.
function watchLoading() {
  const used = attempt('used', () => new Used(path.join(MEMORY, 'used.json')));
  Module._load = function (request, ...rest) {
    const loaded = load.call(this, request, ...rest);
    if (used) attempt('used', () => used.note(request, rest));
    if (CORE.test(request)) attempt('traces', () => forgetTraces(load.call(this, path.join(path.dirname(request), 'tokens/private/stack-trace.js'), ...rest)));
    return loaded;
  };
}

class Used {
  constructor(list) {
    this.list = list;
    this.before = fs.existsSync(list) ? fs.readFileSync(list, 'utf8') : '[]';
    this.expected = JSON.parse(this.before);
    this.files = new Set();
    atExit('used', () => this.keep());
  }

  note(request, rest) {
    if (LAZY.test(request)) {
      const beside = path.dirname(request) + path.sep;
      for (const file of this.expected) if (file.startsWith(beside) && fs.existsSync(file)) load.call(Module, file, ...rest);
    }
    if (rest[0] && LAZY.test(rest[0].filename)) this.files.add(path.join(path.dirname(rest[0].filename), request, 'index.js'));
  }

  keep() {
    const now = JSON.stringify([...this.files].sort());
    if (this.files.size && now !== this.before) lean.replace(this.list, now);
  }
}

// Every token keeps the stack of its creation for error messages; it is jsii's own at each of them, and says nothing about the Python program.
function forgetTraces(traces) {
  traces.captureStackTrace = () => [];
}

function atExit(name, step) {
  process.on('exit', () => attempt(name, step));
}

// Take an optimization's step, unless it is left out. Where it fails, say so once: what follows is slower, and right all the same.
function attempt(name, step) {
  if (without.includes(name)) return undefined;
  try {
    return step();
  } catch (error) {
    if (!told.has(name)) process.stderr.write(`quick_bindings: ${name} is off, and Node goes on without it: ${error.message}\n`);
    told.add(name);
    return undefined;
  }
}

if (typeof resolve === 'function' && typeof load === 'function') {
  Module._resolveFilename = function (request, parent, isMain, ...rest) {
    const found = resolved(request, parent, isMain, ...rest);
    if (isMain) attempt('process', () => prepare(found, isMain));
    return attempt('lazy', () => lazily(found)) || found;
  };
}
