// What Node need not read, or not yet. Each of these is for files whose form is known by their names; all others are read as they are.
'use strict';
const fs = require('fs');
const Module = require('module');
const crypto = require('crypto');
const os = require('os');

const DEFINITIONS = /[\\/]\.jsii\.runtime-defs\.v1\.jsonl$/;
const PACKAGED = /[\\/]jsii[\\/]package-cache[\\/]/;
const ARCHIVE = /\.jsii\.tgz$/;
const MAP = '\n//# sourceMappingURL=data:';

// A file of which only parts are read, each when it is asked for.
class OnDisk {
  constructor(file) {
    this.descriptor = fs.openSync(file, 'r');
  }

  toString(encoding, start, end) {
    const part = Buffer.allocUnsafe(end - start);
    return part.toString(encoding, 0, fs.readSync(this.descriptor, part, 0, part.length, start));
  }
}

// jsii reads the definitions of all types of a package, 50 MB, to look at a few hundred of them.
function readDefinitionsInParts() {
  const { readFileSync } = fs;
  fs.readFileSync = (file, ...rest) => (DEFINITIONS.test(file) && !rest.length ? new OnDisk(file) : readFileSync(file, ...rest));
}

// Every file of the bindings ends in a map of itself to its TypeScript, twice as large as the code, which V8 would keep beside it.
function leaveOutMaps() {
  const compile = Module.prototype._compile;
  Module.prototype._compile = function (content, file, ...rest) {
    const end = PACKAGED.test(file) ? content.lastIndexOf(MAP) : -1;
    return compile.call(this, end < 0 ? content : content.slice(0, end), file, ...rest);
  };
}

// jsii finds what it unpacked from a package's archive by the archive's digest, for which it reads it whole, 37 MB of AWS. A digest is kept with
// the archive's size and time, and jsii reads nothing instead. If it opens an archive again, it unpacks it, and reads all of it.
function rememberDigests(file) {
  if ((process.env.JSII_RUNTIME_PACKAGE_CACHE || 'enabled').toLowerCase() !== 'enabled') return () => {}; // it only unpacks then
  const known = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {};
  const { openSync } = fs;
  const { createHash } = crypto;
  const opened = new Set();
  let last;
  crypto.createHash = (algorithm, ...args) => {
    const hash = createHash(algorithm, ...args);
    if (algorithm === 'sha256') last = hash;
    return hash;
  };
  fs.openSync = (name, ...rest) => {
    if (!ARCHIVE.test(name) || !last || opened.has(name)) return openSync(name, ...rest);
    opened.add(name);
    const { size, mtimeMs, ino } = fs.statSync(name);
    const key = [name, size, mtimeMs, ino].join('|');
    const digest = last.digest.bind(last);
    if (known[key]) {
      last.digest = () => Buffer.from(known[key], 'hex');
      return openSync(os.devNull, ...rest);
    }
    last.digest = () => {
      const found = digest();
      known[key] = found.toString('hex');
      return found;
    };
    return openSync(name, ...rest);
  };
  const before = JSON.stringify(known);
  return () => JSON.stringify(known) === before || replace(file, JSON.stringify(known));
}

// Others may read or write the same file at this moment.
function replace(file, content) {
  fs.writeFileSync(`${file}.${process.pid}`, content);
  fs.renameSync(`${file}.${process.pid}`, file);
}

module.exports = { leaveOutMaps, readDefinitionsInParts, rememberDigests, replace };
