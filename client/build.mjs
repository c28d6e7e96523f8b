// Builds dist/ and the copy of it in the demo: index.js for CommonJS, mini-programs and <script>, index.mjs for bundlers, types for TypeScript.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

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
  const { outputFiles } = await build({
    absWorkingDir: root,
    stdin: { contents, resolveDir: root },
    format: format === 'esm' ? 'esm' : 'iife',
    bundle: true,
    minify: true,
    // Chinese as it is takes half the bytes of its escapes.
    charset: 'utf8',
    // What iOS 13.4 and Chromium 80 run; the developer tools of WeChat compile it further if an app wants them to.
    target: 'es2020',
    mangleProps: /./,
    reserveProps: new RegExp(`^(${[...publicNames()].join('|')})$`),
    legalComments: 'none',
    write: false,
    ...(format === 'esm' ? {} : wrapper),
  });
  return outputFiles[0].text;
}

function declarations() {
  const types = join(root, 'dist/types');
  rmSync(types, { recursive: true, force: true });
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-b', root], { stdio: 'inherit' });
  // TypeScript wants declarations of their own for an ES module that lies beside a CommonJS one.
  for (const name of readdirSync(types).filter((each) => each.endsWith('.d.ts'))) {
    const text = readFileSync(join(types, name), 'utf8');
    writeFileSync(join(types, name.replace('.d.ts', '.d.mts')), text.replace(/(from '\.\/\w+)\.js'/g, "$1.mjs'"));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = await bundle('cjs');
  writeFileSync(join(root, 'dist/index.js'), file);
  // The mini-program of the demo opens as it is, so it has a copy.
  writeFileSync(join(root, 'demo/miniprogram/lib/tim.js'), file);
  writeFileSync(join(root, 'dist/index.mjs'), await bundle('esm'));
  declarations();
}
