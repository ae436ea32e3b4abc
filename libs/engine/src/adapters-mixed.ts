import {
  AdapterBank,
  type AdapterGraph,
  adapterSites,
  fillGate,
  type LayerAdapterKind,
  type ModelConfig,
} from '@attune/models';
import { float32, type HostTensor, type TypedTensor } from '@attune/runtime';
import type { LayerUpdate } from './adapters-prepared.js';

/** How the rows of one run are seated. */
export interface MixedPlan {
  readonly graph: AdapterGraph;
  /** Runs of one shape with the same key can share their inputs, but for the gates. */
  readonly key: string;
  readonly banks: readonly Seating[];
}

interface Seating {
  readonly kind: LayerAdapterKind;
  readonly bank: AdapterBank;
  readonly span: number;
  /** Each row's seat; null = this bank adds nothing to it. */
  readonly seats: readonly (number | null)[];
}

export interface MixedInputs {
  readonly inputs: Readonly<Record<string, HostTensor>>;
  /** Lets each row through to its own adapter. */
  open(plan: MixedPlan): void;
}

interface Gate {
  readonly kind: LayerAdapterKind;
  readonly width: number;
  readonly tensor: TypedTensor<'float32'>;
}

const KINDS: readonly LayerAdapterKind[] = ['lora', 'bottleneck'];

/** Batches whose rows have different adapters, or none: banks of adapters, and gates that keep each row's own. */
export class MixedAdapters {
  private readonly banks;

  constructor(config: ModelConfig) {
    this.banks = new Map(KINDS.map((kind) => [kind, new AdapterBank(adapterSites(config, kind))]));
  }

  plan(rows: readonly (LayerUpdate | null)[]): MixedPlan {
    const banks = KINDS.flatMap((kind) => this.seat(kind, rows) ?? []);
    const parts = banks.map(({ kind, bank, span }) => `${kind} ${span} ${bank.version}`);
    return { graph: { kinds: banks.map(({ kind }) => kind), gated: true }, key: parts.join(' '), banks };
  }

  /** Tensors over the banks' own memory for runs of `rows` rows, valid for every plan with the same key. */
  inputs({ banks }: MixedPlan, rows: number): MixedInputs {
    const gates: Gate[] = [];
    const inputs: Record<string, HostTensor> = {};
    for (const { kind, bank, span } of banks)
      for (const { site, width, down, up } of bank.sites(span)) {
        inputs[`${site.name}.down`] = float32([span * width, site.inSize], down);
        inputs[`${site.name}.up`] = float32([span * width, site.outSize], up);
        inputs[`${site.name}.gate`] = gateOf(gates, kind, rows, span, width);
      }
    return { inputs, open: (plan) => openGates(gates, plan) };
  }

  private seat(kind: LayerAdapterKind, rows: readonly (LayerUpdate | null)[]): Seating | null {
    const packed = rows.map((row) => (row?.kind === kind ? row.packed : null));
    const distinct = [...new Set(packed)].filter((each) => each !== null);
    if (distinct.length === 0) return null;
    const bank = this.banks.get(kind)!;
    const seats = bank.seat(distinct);
    return {
      kind,
      bank,
      span: distinct.length,
      seats: packed.map((each) => (each ? seats[distinct.indexOf(each)]! : null)),
    };
  }
}

/** Sites of one width share a gate. */
function gateOf(gates: Gate[], kind: LayerAdapterKind, rows: number, span: number, width: number): HostTensor {
  const known = gates.find((gate) => gate.kind === kind && gate.width === width);
  if (known) return known.tensor;
  const tensor = float32([rows, 1, span * width]);
  gates.push({ kind, width, tensor });
  return tensor;
}

function openGates(gates: readonly Gate[], { banks }: MixedPlan) {
  for (const { kind, width, tensor } of gates) {
    const { seats, span } = banks.find((bank) => bank.kind === kind)!;
    fillGate(tensor.data, seats, span, width);
  }
}
