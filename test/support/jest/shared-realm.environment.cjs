// The test files run in the realm of Node itself: with one of their own, as Jest makes it, modules that live longer than a file
// would throw errors and return arrays that are no instances of the file's Error and Array.
const { LegacyFakeTimers, ModernFakeTimers } = require('@jest/fake-timers');
const { ModuleMocker } = require('jest-mock');

/** What Jest itself keeps on the global object; it expects a new one for each file. */
const jestKeys =
  /^(JEST_STATE_SYMBOL|EVENT_HANDLERS|TEST_TIMEOUT_SYMBOL|RETRY_.*|WAIT_BEFORE_RETRY|LOG_ERRORS_BEFORE_RETRY)$/;

module.exports = class SharedRealmEnvironment {
  global = globalThis;
  #console = globalThis.console;
  #exit = process.exit;
  #getBuiltinModule = process.getBuiltinModule;

  constructor({ projectConfig }) {
    const global = this.global;
    this.moduleMocker = new ModuleMocker(global);
    const timerConfig = {
      idToRef: (id) => ({ id, ref: () => id, unref: () => id }),
      refToId: (timer) => timer?.id,
    };
    this.fakeTimers = new LegacyFakeTimers({
      config: projectConfig,
      global,
      moduleMocker: this.moduleMocker,
      timerConfig,
    });
    this.fakeTimersModern = new ModernFakeTimers({ config: projectConfig, global });
    // More than the ten that Node shows, as in Jest's own environment.
    Error.stackTraceLimit = 100;
  }

  async setup() {}

  async teardown() {
    this.fakeTimers.dispose();
    this.fakeTimersModern.dispose();
    for (const key of Object.getOwnPropertySymbols(globalThis)) {
      if (jestKeys.test(key.description ?? '')) delete globalThis[key];
    }
    globalThis.console = this.#console;
    process.exit = this.#exit;
    if (this.#getBuiltinModule) process.getBuiltinModule = this.#getBuiltinModule;
  }

  exportConditions() {
    return ['node', 'node-addons'];
  }

  /** There is none: the runtime that goes with this environment compiles for the realm of Node. */
  getVmContext() {
    return null;
  }
};
