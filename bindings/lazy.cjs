// Resolve a prebuilt provider's index.js, which requires thousands of files, to the lazy-index.js beside it, which requires a file when a
// class of it is used. Where there is no such file, or anything else is unexpected, resolution goes on as usual.
'use strict';
const fs = require('fs');
const path = require('path');
const Module = require('module');

// cdktf calls util.isArray, which newer Nodes announce as deprecated at every run; nobody here can act on it.
process.noDeprecation = true;

const resolve = Module._resolveFilename;
if (typeof resolve === 'function') {
  Module._resolveFilename = function (...args) {
    const found = resolve.apply(this, args);
    try {
      if (path.basename(found) === 'index.js' && /[\\/]@cdktf[\\/]provider-[a-z]+[\\/]lib[\\/]index\.js$/.test(found)) {
        const lazy = path.join(path.dirname(found), 'lazy-index.js');
        return fs.existsSync(lazy) ? lazy : found;
      }
    } catch {
      return found;
    }
    return found;
  };
}
