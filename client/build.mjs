// Builds dist/ and the copy of it in the demo: index.js for CommonJS, mini-programs and <script>, index.mjs for bundlers,
// index.d.ts for TypeScript, and what @tencentcloud/lite-chat has besides.

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import * as esbuild from 'esbuild';
import { minify } from 'terser';

const root = dirname(fileURLToPath(import.meta.url));

/**
 * Every word that the published types, the wire and the platform use, and what the language brings along. Any other
 * name of a property is the client's own and gets a short one: that is a tenth of the file.
 */
function publicNames() {
  const sources = ['types', 'wire', 'constants', 'unsupported', 'globals.d'];
  const code = (name) => readFileSync(join(root, `src/${name}.ts`), 'utf8').replace(/\/\*[^]*?\*\/|\/\/.*/g, '');
  const words = sources.flatMap((name) => code(name).match(/[A-Za-z]\w*/g) ?? []);
  const natives = [Array, Date, Error, Function, JSON, Map, Math, Number, Object, Promise, RegExp, Set, String];
  const builtIn = natives.flatMap((each) => [each, each.prototype ?? {}]).flatMap(Object.getOwnPropertyNames).filter((name) => /^\w+$/.test(name));
  const descriptor = ['enumerable', 'configurable', 'writable', 'value'];
  return new Set([...words, ...builtIn, ...descriptor, 'create', 'default']);
}

/**
 * The names that programs know are a tenth of the file. Here they take two thirds of their room: of each one it is said how
 * many characters it has in common with the one before it, in base 36, and then the rest. So it is with the values of a table.
 */
const shortNames = {
  name: 'short names',
  setup({ onLoad, onResolve }) {
    onLoad({ filter: /src\/(constants|unsupported)\.ts$/ }, ({ path }) => {
      const code = readFileSync(path, 'utf8').replace(/^((?:export )?const (\w+) = )([[{][^]*?^[\]}]) as const;/gm, (whole, start, name, value) => {
        if (name === 'EMPTY') return whole;
        const names = Function(`return ${value}`)();
        if (Array.isArray(names)) return `${start}long(${short(names, 1)}, 1);`;
        if (name !== 'NOT_SERVED') return `${start}tableOf(long(${short(Object.entries(names).flat(), 2)}, 2));`;
        const kinds = Object.entries(names).map(([kind, lines]) => `${JSON.stringify(kind)}: long(${short(lines.join(' ').split(' ').sort(), 1)}, 1)`);
        return `${start}{ ${kinds.join()} };`;
      });
      return { contents: `import { long, tableOf } from 'long-names';\n${code}`, loader: 'ts' };
    });
    onResolve({ filter: /^long-names$/ }, () => ({ path: 'long-names', namespace: 'names' }));
    onLoad({ filter: /./, namespace: 'names' }, () => ({ contents: `export ${long}\nexport ${tableOf}` }));
  },
};

/** Writes words. Each of so many kinds stands behind the others, and is like the one of its kind before it. */
function short(words, kinds) {
  return JSON.stringify(words.map((word, at) => {
    const [whole, before] = [String(word), String(words[at - kinds] ?? '')];
    let common = 0;
    while (common < 35 && common < whole.length && whole[common] === before[common]) common += 1;
    return common.toString(36) + whole.slice(common);
  }).join(' '));
}

// These two run in the bundle.
function long(text, kinds) {
  const last = ['', ''];
  return text.split(' ').map((word, at) => last[at % kinds] = last[at % kinds].slice(0, parseInt(word[0], 36)) + word.slice(1));
}

function tableOf(words) {
  const table = {};
  words.forEach((word, at) => { if (at % 2) table[words[at - 1]] = /^\d+$/.test(word) ? Number(word) : word; });
  return table;
}

/**
 * The text of a bundle: `cjs` is index.js, `esm` is index.mjs.
 * @param {'cjs' | 'esm'} format
 */
export async function bundle(format) {
  // Programs written for tim-wx-sdk expect `module.exports` to be TIM itself, and a page without modules expects a
  // global TIM. `default` is for compilers that look for it anyway.
  const contents = format === 'esm'
    ? "export { default } from './src/index.js';"
    : "import TIM from './src/index.js'; publish(TIM);";
  const wrapper = {
    banner: { js: '(function(publish){' },
    footer: {
      js: '})(function(TIM){if(typeof module==="object"&&module.exports){module.exports=TIM;'
        + 'Object.defineProperty(TIM,"default",{value:TIM})}else self.TIM=TIM});',
    },
  };
  const { outputFiles } = await esbuild.build({
    absWorkingDir: root,
    stdin: { contents, resolveDir: root },
    format: format === 'esm' ? 'esm' : 'iife',
    bundle: true,
    minify: true,
    // Chinese as it is takes half the bytes of its escapes.
    charset: 'utf8',
    // What iOS 13.4 and Chromium 80 run; the developer tools of WeChat compile it further if an app wants them to.
    target: 'es2020',
    plugins: [shortNames],
    mangleProps: /./,
    reserveProps: new RegExp(`^(${[...publicNames()].join('|')})$`),
    legalComments: 'none',
    write: false,
    ...(format === 'esm' ? {} : wrapper),
  });
  // What esbuild leaves, which is 1 % of the file, and 3 % of it on its way to a phone.
  const { code } = await minify(outputFiles[0].text, { ecma: 2020, module: format === 'esm', compress: { passes: 3, hoist_funs: true, unsafe_arrows: true } });
  return code ?? '';
}

/**
 * The text of dist/index.d.ts: the declarations of all modules that callers see, in one file, for those who copy it and
 * index.js into a project. TIM is what `require` gives, so it is what the file exports; its types are in a namespace of
 * that name, and `default` is TIM once more.
 */
export function declarations() {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-b', root], { stdio: 'inherit' });
  const modules = ['constants', 'errors', 'types', 'unsupported']
    .map((name) => readFileSync(join(root, `dist/types/${name}.d.ts`), 'utf8'));
  const names = modules.flatMap((text) => [...text.matchAll(/^export (?:interface|type|declare class) (\w+)/gm)].map(([, name]) => name));
  const texts = modules.map((text) => text
    .replace(/^import .*\n|^export \{\};\n|^(?:\/\*\*.*\n)?export declare function .*\n/gm, '')
    // Of an error there is the shape only: nobody gets hold of the class.
    .replace(/^export declare class/gm, 'interface').replace(/^ +constructor\(.*\n/gm, '')
    .replace(/^export /gm, ''));
  return `// Generated by build.mjs from src.
${texts.join('\n')}
declare const TIM: TIMStatic & { readonly default: TIMStatic };
declare namespace TIM {
    export { ${names.sort().join(', ')} };
}
export = TIM;
`;
}

/** The entry points of @tencentcloud/lite-chat beside its main one. Each is the whole client. */
const EDITIONS = ['basic', 'standard', 'professional'];

/** Its plugins and their names. What they add is in the client already. */
const PLUGINS = {
  'avchatroom': 'AVChatRoom',
  'cloud-search': 'CloudSearch',
  'conversation': 'Conversation',
  'conversation-group': 'ConversationGroup',
  'follow': 'Follow',
  'friend': 'Friend',
  'group': 'Group',
  'message-enhancer': 'MessageEnhancer',
  'offline-message-synchronizer': 'OfflineMessageSynchronizer',
  'push-token-register': 'PushTokenRegisterPlugin',
  'rich-media-message': 'RichMediaMessage',
  'signaling': 'Signaling',
  'topic': 'Topic',
};

/** Writes a file, unless it is there already. In one step, because a test may be reading the old one. */
function write(name, text) {
  const path = join(root, name);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.${process.pid}`, text);
  renameSync(`${path}.${process.pid}`, path);
}

/** What runs. */
export async function buildScripts() {
  const script = await bundle('cjs');
  write('dist/index.js', script);
  // The mini-program of the demo opens as it is, so it has a copy.
  write('demo/miniprogram/lib/tim.js', script);
  write('dist/index.mjs', await bundle('esm'));
  // Files, and not only names in package.json: the developer tools of WeChat do not read its exports.
  for (const name of EDITIONS) write(`dist/${name}.js`, "module.exports = require('./index.js');\n");
  for (const [file, name] of Object.entries(PLUGINS)) write(`dist/plugins/${file}.js`, `module.exports = { name: '${name}' };\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildScripts();
  // npm packs a licence only from the package's own folder.
  copyFileSync(join(root, '../LICENSE'), join(root, 'LICENSE'));
  write('dist/index.d.ts', declarations());
  write('dist/plugins/plugin.d.ts', 'declare const plugin: { readonly name: string };\nexport = plugin;\n');
}
