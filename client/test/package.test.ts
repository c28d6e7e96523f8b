/** What `npm pack` makes, in projects of those who install it. Nothing here reaches a registry. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { declarations } from '../build.mjs';

const client = fileURLToPath(new URL('..', import.meta.url));
const tsc = join(client, 'node_modules/typescript/bin/tsc');
const folder = mkdtempSync(join(tmpdir(), 'hongyan-package-'));

before(() => {
  const answer = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], { cwd: client, encoding: 'utf8', stdio: 'pipe' });
  const [packed] = JSON.parse(answer) as [{ filename: string }];
  const tarball = `file:${packed.filename}`;
  // Under its own name, and under those of the packages that it stands in for.
  const names = ['hongyan-tim', 'tim-wx-sdk', '@tencentcloud/chat', '@tencentcloud/lite-chat'];
  write('package.json', JSON.stringify({ private: true, dependencies: Object.fromEntries(names.map((name) => [name, tarball])) }));
  execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', '--cache', join(folder, 'cache')], { cwd: folder, stdio: 'ignore' });
});
after(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

/** Compiles a program as a strict project of its kind would, with the declarations of the package under the same scrutiny. */
function compile(name: string, options: object): void {
  write('tsconfig.json', JSON.stringify({
    compilerOptions: { target: 'ES2020', lib: ['ES2020'], types: [], strict: true, skipLibCheck: false, noEmit: false, outDir: 'out', ...options },
    files: [name],
  }));
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
  assert.equal(stdout + stderr, '');
  assert.equal(status, 0);
}

function run(...args: string[]): string {
  return execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' }).trim();
}

const PROGRAM = `
const tim: ChatSDK = TIM.create({ SDKAppID: 1400000000 });
const row: { type: string } = JSON.parse('{ "type": "C2C" }');
const message: Message = tim.createTextMessage({ to: 'bob', conversationType: row.type, payload: { text: 'hello' } });
tim.on(TIM.EVENT.MESSAGE_RECEIVED, (event) => event.data.forEach((each: Message) => each.ID));
declare const console: { log(...what: unknown[]): void };
console.log(TIM.VERSION, message.conversationID);
`;
const { version } = JSON.parse(readFileSync(join(client, 'package.json'), 'utf8')) as { version: string };
const EXPECTED = `${version} C2Cbob`;

test('a CommonJS program in TypeScript compiles and runs, by import and by require', () => {
  write('common.cts', `import TIM = require('hongyan-tim');\ntype ChatSDK = TIM.ChatSDK;\ntype Message = TIM.Message;\n${PROGRAM}`);
  compile('common.cts', { module: 'nodenext' });
  assert.equal(run('out/common.cjs'), EXPECTED);
  write('interop.cts', `import TIM, { type ChatSDK, type Message } from 'hongyan-tim';\n${PROGRAM}`);
  compile('interop.cts', { module: 'nodenext' });
  assert.equal(run('out/interop.cjs'), EXPECTED);
});

test('a program in JavaScript is checked too', () => {
  write('plain.cjs', "const TIM = require('hongyan-tim');\nconst { create } = require('hongyan-tim');\nconst tim = create({ SDKAppID: 1 });\n"
    + "/** @type {boolean} */\nexports.isReady = tim.isReady();\n// @ts-expect-error no such method\ntim.sendMesage;\nexports.same = TIM.create === create;\n");
  compile('plain.cjs', { module: 'nodenext', allowJs: true, checkJs: true });
  assert.equal(run('-p', "const { isReady, same } = require('./out/plain.cjs'); isReady + ' ' + same"), 'false true');
});

test('an ES module in TypeScript compiles and runs, for Node and for bundlers', () => {
  write('module.mts', `import TIM, { type ChatSDK, type Message } from 'hongyan-tim';\n${PROGRAM}`);
  compile('module.mts', { module: 'nodenext', verbatimModuleSyntax: true });
  assert.equal(run('out/module.mjs'), EXPECTED);
  compile('module.mts', { module: 'esnext', moduleResolution: 'bundler', verbatimModuleSyntax: true });
});

test('it can be installed under the name of the package whose place it takes', () => {
  for (const name of ['tim-wx-sdk', '@tencentcloud/chat', '@tencentcloud/lite-chat']) {
    assert.equal(run('-p', `require('${name}').VERSION`), version);
    assert.equal(run('--input-type=module', '-e', `import TIM from '${name}'; console.log(TIM.VERSION)`), version);
  }
});

test('it has the entry points and the plugins of @tencentcloud/lite-chat', () => {
  for (const edition of ['basic', 'standard', 'professional']) {
    assert.equal(run('-p', `require('hongyan-tim/${edition}') === require('hongyan-tim')`), 'true');
    // Where nobody reads the exports of package.json, as in the developer tools of WeChat, there is a file.
    assert.equal(run('-p', `require('./node_modules/hongyan-tim/dist/${edition}.js').VERSION`), version);
  }
  const plugins = [
    'avchatroom', 'cloud-search', 'conversation', 'conversation-group', 'follow', 'friend', 'group', 'message-enhancer',
    'offline-message-synchronizer', 'push-token-register', 'rich-media-message', 'signaling', 'topic',
  ];
  const names = run('-p', `${JSON.stringify(plugins)}.map((name) => require('hongyan-tim/plugins/' + name).name).join()`);
  assert.equal(names, 'AVChatRoom,CloudSearch,Conversation,ConversationGroup,Follow,Friend,Group,MessageEnhancer,'
    + 'OfflineMessageSynchronizer,PushTokenRegisterPlugin,RichMediaMessage,Signaling,Topic');
  write('plugins.mts', "import TIM from 'hongyan-tim/basic';\nimport group from 'hongyan-tim/plugins/group';\n"
    + "const tim = TIM.create({ SDKAppID: 1 });\ntim.use([group]);\nexport const name: string = group.name;\n");
  compile('plugins.mts', { module: 'nodenext' });
  assert.equal(run('--input-type=module', '-e', "import { name } from './out/plugins.mjs'; console.log(name)"), 'Group');
});

test('the file and its declarations are enough: both copied into a project, without the package', () => {
  for (const name of ['index.js', 'index.d.ts']) write(name.replace('index', 'tim'), readFileSync(join(client, 'dist', name), 'utf8'));
  write('copied.cts', `import TIM = require('./tim.js');\ntype ChatSDK = TIM.ChatSDK;\ntype Message = TIM.Message;\n${PROGRAM}`);
  compile('copied.cts', { module: 'nodenext' });
  write('out/tim.js', readFileSync(join(folder, 'tim.js'), 'utf8'));
  assert.equal(run('out/copied.cjs'), EXPECTED);
});

test('dist/index.d.ts is what the sources declare: npm run build', () => {
  assert.ok(readFileSync(join(client, 'dist/index.d.ts'), 'utf8') === declarations(), 'dist/index.d.ts is out of date: npm run build');
});

test('the package has its licence', () => {
  assert.match(readFileSync(join(folder, 'node_modules/hongyan-tim/LICENSE'), 'utf8'), /Apache License/);
});

test('the documents name the tarball that npm pack makes, and nothing that no registry has', () => {
  const documents = ['README', 'docs/client', 'docs/deploy', 'client/demo/miniprogram/README'].flatMap((name) => [`${name}.md`, `${name}.zh-CN.md`]);
  const tarballs = new Set<string>();
  for (const name of documents) {
    const text = readFileSync(join(client, '..', name), 'utf8');
    for (const [tarball] of text.matchAll(/[\w.-]+\.tgz/g)) tarballs.add(tarball);
    assert.doesNotMatch(text, /['"]hongyan-tim['"]|npm install hongyan/, name);
  }
  assert.deepEqual([...tarballs], [`hongyan-tim-${version}.tgz`]);
});
