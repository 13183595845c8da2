import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const outDir = join(import.meta.dirname, '../../dist/playground');

/** The code editor is five megabytes; a copy compressed once spares the server from doing it at each visit. */
function compressedCopies(): Plugin {
  return {
    name: 'compressed-copies',
    async writeBundle() {
      const names = await readdir(outDir, { recursive: true });
      const files = names.filter((name) => /\.(?:css|html|js|svg|ttf)$/.test(name)).map((name) => join(outDir, name));
      const compress = promisify(gzip);
      await Promise.all(files.map(async (file) => writeFile(`${file}.gz`, await compress(await readFile(file)))));
    },
  };
}

/**
 * Builds the playground into dist/playground, served by the gateway at /playground/. Everything it needs (editor workers,
 * fonts, examples) is bundled: the page must work with the network cut off.
 */
export default defineConfig({
  root: join(import.meta.dirname, 'playground'),
  base: '/playground/',
  plugins: [compressedCopies()],
  // The editor's workers are split into modules, which the default 'iife' format cannot express.
  worker: { format: 'es' },
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // The code editor alone is some megabytes; a warning about it would hide the others.
    chunkSizeWarningLimit: 8000,
    rollupOptions: {
      onwarn(warning, warn) {
        // Hints for React servers in our dependencies, without meaning in a page.
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning);
      },
    },
  },
});
