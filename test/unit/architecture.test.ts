import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';

const repository = join(__dirname, '../..');
const sourceRoot = join(repository, 'src');
const longestFile = 400;

/** What an area of src/ may import besides itself and Node: areas of ours, and packages. */
interface Rule {
  readonly ours: readonly string[];
  readonly packages: readonly string[];
}

const subjects = [
  'domain/access',
  'domain/connections',
  'domain/directory',
  'domain/installs',
  'domain/keys',
  'domain/mapping',
  'domain/operations',
];
const domain = ['domain', ...subjects];

/** An area is a folder of src/ (a subject of src/domain), or a file that lies directly in src/. */
const rules: Readonly<Record<string, Rule>> = {
  shared: { ours: [], packages: [] },
  // Ports speak of every subject; the subjects know each other in one direction only.
  domain: { ours: ['shared', ...subjects], packages: [] },
  'domain/access': { ours: ['shared', 'domain'], packages: [] },
  'domain/connections': { ours: ['shared', 'domain', 'domain/access'], packages: [] },
  'domain/directory': { ours: ['shared', 'domain', 'domain/access', 'domain/connections'], packages: [] },
  'domain/mapping': {
    ours: ['shared', 'domain', 'domain/access', 'domain/connections', 'domain/directory'],
    packages: [],
  },
  'domain/operations': {
    ours: ['shared', 'domain', 'domain/access', 'domain/connections', 'domain/directory'],
    packages: [],
  },
  'domain/installs': { ours: ['shared', 'domain', 'domain/access', 'domain/connections'], packages: [] },
  'domain/keys': { ours: ['shared', 'domain', 'domain/access'], packages: [] },
  slack: { ours: ['shared', ...domain], packages: ['undici'] },
  storage: { ours: ['shared', ...domain], packages: ['typeorm', 'sqlite3'] },
  graphql: {
    ours: ['shared', ...domain],
    packages: ['@apollo/server', 'graphql', 'reflect-metadata', 'type-graphql'],
  },
  http: {
    ours: ['shared', ...domain, 'graphql'],
    packages: [
      '@apollo/server',
      '@as-integrations/fastify',
      '@fastify/static',
      'cookie',
      'fastify',
      'graphql',
      'graphql-sse',
      'graphql-ws',
      'ws',
    ],
  },
  worker: { ours: ['shared', ...domain], packages: ['pg-boss'] },
  simulator: { ours: ['shared'], packages: ['fastify'] },
  console: {
    ours: [],
    packages: ['@graphiql/react', '@graphiql/toolkit', 'graphiql', 'graphql-ws', 'react', 'react-dom', 'vite'],
  },
  build: { ours: [], packages: [] },
  demo: { ours: ['shared', 'app.ts', 'config.ts'], packages: ['reflect-metadata'] },
  bench: { ours: ['shared', 'app.ts', 'config.ts', 'simulator'], packages: ['reflect-metadata', 'undici'] },
  'config.ts': { ours: ['shared'], packages: [] },
  'log.ts': { ours: ['shared', 'config.ts'], packages: ['pino'] },
  'services.ts': { ours: ['shared', ...domain, 'slack', 'storage', 'graphql', 'worker'], packages: ['type-graphql'] },
  'app.ts': {
    ours: [
      'shared',
      ...domain,
      'slack',
      'storage',
      'graphql',
      'http',
      'worker',
      'simulator',
      'config.ts',
      'services.ts',
    ],
    packages: ['type-graphql'],
  },
  'commands.ts': { ours: ['shared', ...domain, 'storage', 'config.ts'], packages: [] },
  'main.ts': { ours: ['shared', 'app.ts', 'commands.ts', 'config.ts', 'log.ts'], packages: ['reflect-metadata'] },
};

const processEntries = ['main.ts', 'simulator/main.ts', 'demo/main.ts', 'bench/main.ts', 'build/build.mjs'];
const roles = ['resolver', 'type', 'input', 'service', 'runner', 'store', 'entity', 'client', 'route', 'config'];

interface SourceFile {
  /** Below src/. */
  readonly path: string;
  readonly text: string;
  readonly area: string;
}

const files = listFiles(sourceRoot).map(
  (path): SourceFile => ({ path, text: readFileSync(join(sourceRoot, path), 'utf8'), area: areaOf(path) }),
);

describe('the architecture of src', () => {
  it('has a rule for every area, and no rule without one', () => {
    expect([...new Set(files.map(({ area }) => area))].sort()).toEqual(Object.keys(rules).sort());
  });

  it.each(Object.entries(rules))('lets %s import only what it may', (area, { ours, packages }) => {
    const imports = files.filter((file) => file.area === area).flatMap(listImports);

    const strays = imports.filter(({ isOurs, to }) => !(isOurs ? [area, ...ours] : packages).includes(to));

    expect(strays.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  it('reads the imports that it judges', () => {
    const imports = files.flatMap(listImports).map(({ from, to }) => `${from} imports ${to}`);

    expect(imports).toEqual(
      expect.arrayContaining(['app.ts imports storage', 'main.ts imports reflect-metadata', 'log.ts imports pino']),
    );
  });

  it('exports by name, except where a tool asks for a default', () => {
    const withDefault = files.filter(({ text }) => /^export (?:default\b|\{[^}]*\bas default\b)/m.test(text));

    expect(withDefault.map(({ path }) => path)).toEqual(['console/vite.config.ts']);
  });

  it('touches the process only where one starts', () => {
    const touching = files.filter(({ text }) => /\bprocess\.[a-z]|=\s*process\b|'(?:node:)?process'/.test(text));

    expect(touching.map(({ path }) => path).filter((path) => !processEntries.includes(path))).toEqual([]);
  });

  it(`keeps every file within ${longestFile} lines`, () => {
    const long = files.filter(({ text }) => text.trimEnd().split('\n').length > longestFile);

    expect(long.map(({ path }) => path)).toEqual([]);
  });

  it('names files in kebab case after what they hold, with a role from the closed list', () => {
    const name = new RegExp(`^[a-z0-9]+(-[a-z0-9]+)*(\\.(${roles.join('|')}))?\\.(ts|tsx|mjs)$`);
    const vague = /^(index|utils?|helpers?|common|misc|types|manager)\./;

    const misnamed = files.filter(({ path }) => !name.test(basename(path)) || vague.test(basename(path)));

    expect(misnamed.map(({ path }) => path)).toEqual([]);
  });

  it('switches no check of the compiler off', () => {
    const silenced = files.filter(({ text }) => /@ts-(ignore|nocheck|expect-error)/.test(text));

    expect(silenced.map(({ path }) => path)).toEqual([]);
  });
});

function listFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(ts|tsx|mjs)$/.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

/** @param path below src/, a folder included; without its extension when it comes from an import. */
function areaOf(path: string): string {
  const [first = '', second = '', ...rest] = path.split('/');
  if (second === '') return /\.\w+$/.test(first) ? first : `${first}.ts`;
  return first === 'domain' && rest.length > 0 ? `${first}/${second}` : first;
}

/** Imports, exports from elsewhere, and calls of import() or require(), of types too; Node's own modules aside. */
function listImports({ path, text }: SourceFile): { from: string; to: string; isOurs: boolean }[] {
  const specifiers = [...text.matchAll(/(?:\bfrom|\bimport|\bimport\(|\brequire\()\s*['"]([^'"\n]+)['"]/g)];
  return specifiers
    .map(([, specifier = '']) => specifier)
    .filter((specifier) => !isBuiltin(specifier))
    .map((specifier) => {
      const isOurs = specifier.startsWith('.');
      const target = relative(sourceRoot, resolve(sourceRoot, dirname(path), specifier));
      return { from: path, to: isOurs ? areaOf(target) : packageOf(specifier), isOurs };
    });
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
