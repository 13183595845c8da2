// Preloaded into a process that is measured (`node --require`): on SIGUSR2 it adds a line to the file GAUGE_FILE with what the
// process held and how late its event loop was since the last line, and begins anew.
const { appendFileSync } = require('node:fs');
const { monitorEventLoopDelay } = require('node:perf_hooks');

const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
const milliseconds = (nanoseconds) => Math.round(nanoseconds / 1e4) / 100;

let mostBytes = process.memoryUsage.rss();
setInterval(() => {
  mostBytes = Math.max(mostBytes, process.memoryUsage.rss());
}, 200).unref();

process.on('SIGUSR2', () => {
  const bytes = process.memoryUsage.rss();
  const line = {
    bytes,
    mostBytes: Math.max(mostBytes, bytes),
    loopDelayMs: {
      p50: milliseconds(delay.percentile(50)),
      p99: milliseconds(delay.percentile(99)),
      max: milliseconds(delay.max),
    },
    cpuMs: Math.round((process.cpuUsage().user + process.cpuUsage().system) / 1000),
  };
  mostBytes = bytes;
  delay.reset();
  appendFileSync(process.env.GAUGE_FILE, `${JSON.stringify(line)}\n`);
});
