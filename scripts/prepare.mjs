// Brings a checkout to where it can run: Node, dependencies, build. Plain JavaScript without dependencies, because it
// runs before there are any.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const OLDEST_NODE = [20, 19];

/** Checks Node, installs what is missing, builds what is older than its sources; says so where it takes its time. */
export function prepare() {
  checkNode();
  installIfNeeded();
  buildLibrariesAndApps();
  buildConsoleIfNeeded();
}

/** Says what is wrong in a sentence and ends. */
export function giveUp(sentence) {
  console.error(`\n${sentence}`);
  process.exit(1);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  giveUp(`Attune needs Node.js ${OLDEST_NODE.join('.')} or newer; this is ${process.versions.node}.`);
}

function installIfNeeded() {
  const stamp = path.join(root, 'node_modules', '.attune-installed');
  const wanted = createHash('sha256')
    .update(readFileSync(inRoot('package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  if (!installedByHand()) {
    console.log('Installing dependencies (once; about a minute) …');
    // The build needs the development dependencies, also where NODE_ENV says production.
    const result = npm(['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error']);
    if (result.status !== 0) {
      giveUp(
        'The dependencies could not be installed. Look at what npm says above; it needs the npm registry this once.',
      );
    }
  }
  writeFileSync(stamp, wanted);
}

/** npm keeps a copy of the lock file of what it has installed; newer than ours means that somebody ran `npm ci`. */
function installedByHand() {
  const installed = inRoot('node_modules', '.package-lock.json');
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(inRoot('package-lock.json')).mtimeMs;
}

/** The compiler looks itself what is out of date; with nothing to do it takes about a second. */
function buildLibrariesAndApps() {
  if (!existsSync(inRoot('apps', 'supervisor', 'dist', 'main.js'))) console.log('Building …');
  const result = runNode(inRoot('node_modules', 'typescript', 'bin', 'tsc'), ['-b'], root);
  if (result.status !== 0) giveUp('The build failed; see the messages of the compiler above.');
}

function buildConsoleIfNeeded() {
  const folder = inRoot('apps', 'console');
  if (!existsSync(path.join(folder, 'index.html'))) return;
  const page = path.join(folder, 'dist', 'index.html');
  const sources = [folder, inRoot('libs', 'contracts', 'src'), inRoot('package-lock.json')];
  const builtAt = existsSync(page) ? statSync(page).mtimeMs : 0;
  if (Math.max(...sources.map(newestChange)) <= builtAt) return;
  console.log('Building the console …');
  const result = runNode(inRoot('node_modules', 'vite', 'bin', 'vite.js'), ['build', '--logLevel', 'warn'], folder);
  if (result.status !== 0) giveUp('The console could not be built; see the messages above.');
}

/** When a file, or the newest file below a folder, was last changed (milliseconds). */
function newestChange(place) {
  const { mtimeMs } = statSync(place);
  if (!statSync(place).isDirectory()) return mtimeMs;
  const names = readdirSync(place).filter((name) => name !== 'dist' && name !== 'node_modules');
  return Math.max(0, ...names.map((name) => newestChange(path.join(place, name))));
}

/** Through the npm that runs this script, where one does: its path is then known whatever PATH says. */
function npm(parameters) {
  const cli = process.env.npm_execpath;
  if (cli && cli.endsWith('.js')) return runNode(cli, parameters, root);
  return spawnSync('npm', parameters, { cwd: root, stdio: 'inherit' });
}

function runNode(script, parameters, cwd) {
  return spawnSync(process.execPath, [script, ...parameters], { cwd, stdio: 'inherit' });
}

function inRoot(...parts) {
  return path.join(root, ...parts);
}

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) prepare();
