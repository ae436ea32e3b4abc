import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { DeviceKind } from '../../types.js';
import { type ChildResult, defaultCacheDir, installationKey, recall, remember, runScript } from '../child.js';
import { libraryPath } from '../library.js';
import type { Trial } from './trial.js';

/** The device that serves best here, or null = the CPU, and why. */
export interface DeviceVerdict {
  readonly kind: DeviceKind | null;
  readonly reason: string;
}

/** A GPU that is not clearly faster than one CPU thread is a GPU in name only: a software renderer, say. */
const LEAST_SPEEDUP = 4;

/** What can be seen of GPUs without loading anything of theirs. */
export interface GpuSigns {
  readonly nvidia: boolean;
  /** Any GPU that Vulkan, Metal or D3D12 might reach. */
  readonly any: boolean;
  /** Changes with hardware and drivers. */
  readonly fingerprint: string;
  /** Whether CUDA's provider libraries are installed. */
  readonly cudaProvider: boolean;
}

/**
 * Looks for a GPU that works. Where the system shows none, nothing is loaded or started. Where it shows one, the device
 * is tried in a child process, which a broken driver may take down, and what was found is remembered until library,
 * hardware or driver change.
 */
export function chooseDevice(
  cacheDir = defaultCacheDir(),
  signs = lookForGpus(),
  tryInChild: (kind: DeviceKind) => ChildResult = (kind) => runScript('device-trial-main.js', [kind]),
): DeviceVerdict {
  const candidates: DeviceKind[] = [];
  if (signs.nvidia && signs.cudaProvider) candidates.push('cuda');
  if (signs.any) candidates.push('webgpu');
  const reasons: string[] = [];
  for (const kind of candidates) {
    const verdict = judge(kind, cacheDir, signs, () => tryInChild(kind));
    if (verdict.kind) return verdict;
    reasons.push(`${kind}: ${verdict.reason}`);
  }
  return { kind: null, reason: reasons.join('; ') || 'the system shows no GPU' };
}

/** Verdicts that stand for as long as this process: the next may come to another. */
const fleeting = new Map<string, DeviceVerdict>();

function judge(kind: DeviceKind, cacheDir: string, signs: GpuSigns, tryIt: () => ChildResult): DeviceVerdict {
  const file = `device-${kind}.json`;
  const key = `${installationKey()} ${signs.fingerprint}`;
  const place = `${cacheDir} ${file} ${key}`;
  const known = readVerdict(recall(cacheDir, file), key) ?? fleeting.get(place);
  if (known) return known;
  const { verdict, lasts } = judgeTrial(kind, tryIt());
  if (lasts) remember(cacheDir, file, JSON.stringify({ key, verdict }));
  else fleeting.set(place, verdict);
  return verdict;
}

/** `lasts`: until hardware, driver or library change. A busy machine or a missing package may be another at the next start. */
function judgeTrial(kind: DeviceKind, result: ChildResult): { verdict: DeviceVerdict; lasts: boolean } {
  if (result.ended !== 'well')
    return { verdict: { kind: null, reason: result.how }, lasts: result.ended === 'crashed' };
  const outcome = JSON.parse(result.output) as Trial | { failure: string };
  if ('failure' in outcome) return { verdict: { kind: null, reason: outcome.failure }, lasts: false };
  return { verdict: verdictOf(kind, outcome), lasts: true };
}

/** What follows from a trial. */
export function verdictOf(kind: DeviceKind, { isRight, deviceMs, cpuMs }: Trial): DeviceVerdict {
  const speed = `${(cpuMs / deviceMs).toFixed(1)} times as fast as one CPU thread`;
  if (!isRight) return { kind: null, reason: 'it computed wrong products' };
  if (cpuMs < LEAST_SPEEDUP * deviceMs) return { kind: null, reason: `it is only ${speed}` };
  return { kind, reason: `it computes right and ${speed}` };
}

function readVerdict(text: string | undefined, key: string): DeviceVerdict | null {
  try {
    const found = JSON.parse(text ?? 'null') as { key: string; verdict: DeviceVerdict } | null;
    return found?.key === key ? found.verdict : null;
  } catch {
    return null; // half-written: test again
  }
}

/** Device files and drivers, as far as a look at the file system goes. */
export function lookForGpus(): GpuSigns {
  const rendering = listFolder('/dev/dri').filter((name) => name.startsWith('renderD'));
  const nvidia = existsSync('/dev/nvidia0') || existsSync('/dev/dxg');
  const driver = readText('/proc/driver/nvidia/version') + readText('/proc/version');
  const cudaProvider = existsSync(path.join(path.dirname(libraryPath()), 'libonnxruntime_providers_cuda.so'));
  const isMac = process.platform === 'darwin';
  return {
    nvidia,
    any: nvidia || isMac || rendering.length > 0,
    fingerprint: `${rendering.join()} ${nvidia} ${driver.replace(/\s+/g, ' ')}`,
    cudaProvider,
  };
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
