// Jest gives each test file modules of its own: TypeORM, type-graphql, Apollo and the whole product would be loaded and
// compiled anew for each of them, which costs more than the tests of most files. Here Jest itself loads the test file and what
// that takes from test/, and nothing else: packages and src/ come from Node's own require, once per worker, as in a real
// process. It needs shared-realm.environment.cjs, since a module belongs to one realm.
//
// In return a test file cannot replace modules (jest.mock, jest.resetModules) of src/ or of packages. Spies are taken back by
// Jest at the end of each file.
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { dirname, sep } = require('node:path');
const { compileFunction } = require('node:vm');
const { default: JestRuntime } = require('jest-runtime');

const testFolder = dirname(dirname(__dirname)) + sep;

/** Of this worker: where the source map of each file lies that Node loaded. */
const sharedMaps = new Map();
/** Of this worker: the code of Jest's own modules, which run anew for each test file, and need not be parsed anew. */
const internalCode = new Map();
/** Of the test file that runs now: all files have the same transforms, and one cache on disk. */
let transform;

Module._extensions['.ts'] = (module, filename) => {
  const { code, sourceMapPath } = transform(filename, readFileSync(filename, 'utf8'));
  if (sourceMapPath) sharedMaps.set(filename, sourceMapPath);
  module._compile(code, filename);
};

// With nothing left to do a worker is done. Node would tidy its heap, which after a hundred files takes longer than the half
// second after which Jest kills a worker and reports that tests left something open; what they do leave open still keeps it here.
if (process.send) process.once('beforeExit', () => process.exit());

/** Jest asks for a map only when it prints a stack, which may lead through a file that Node has loaded since. */
class SourceMaps extends Map {
  get(filename) {
    return super.get(filename) ?? sharedMaps.get(filename);
  }
}

module.exports = class SharedModulesRuntime extends JestRuntime {
  #requires = new Map();

  constructor(config, environment, resolver, transformer, cacheFiles, coverageOptions, ...rest) {
    super(config, environment, resolver, transformer, cacheFiles, coverageOptions, ...rest);
    transform = (filename, source) => transformer.transform(filename, this._getFullTransformationOptions(), source);
    this.transformCache.sourceMaps = new SourceMaps();
    this.executor.compile = (code, filename) => this.#compile(code, filename);
  }

  requireModule(from, name, options, isRequireActual) {
    const isShared = name && !options?.isInternalModule && !Module.isBuiltin(name) && !this.#isOfTest(from, name);
    return isShared ? this.#requireOf(from)(name) : super.requireModule(from, name, options, isRequireActual);
  }

  #isOfTest(from, name) {
    return this.#requireOf(from).resolve(name).startsWith(testFolder);
  }

  #requireOf(from) {
    const known = this.#requires.get(from) ?? Module.createRequire(from);
    this.#requires.set(from, known);
    return known;
  }

  /** As Jest does it, but in the realm of Node itself and not in one of the test file. */
  #compile(code, filename) {
    const known = internalCode.get(filename);
    if (known?.code === code) return known.run;
    const run = compileFunction(code, this.executor.injectedModuleParameters, { filename });
    if (!filename.startsWith(testFolder)) internalCode.set(filename, { code, run });
    return run;
  }
};
