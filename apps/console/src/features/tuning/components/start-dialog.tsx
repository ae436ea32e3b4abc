import { type TuningStage, tuningJobConfig, tuningStages } from '@attune/contracts';
import { Checkbox, Modal, NumberInput, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useNavigate } from 'react-router';
import { FormEnd } from '../../../components/ui/form-end.js';
import { queryKeys } from '../../../lib/query-keys.js';
import { startJob } from '../api/jobs.js';

/** The defaults stand in the contract, so the form cannot drift from them. */
const defaults = tuningJobConfig.parse({});

const stageLabels: Record<TuningStage, { label: string; description: string }> = {
  sft: { label: 'SFT', description: 'Learn the approved corrections' },
  reward: { label: 'Reward model', description: 'Learn what people prefer' },
  dpo: { label: 'DPO', description: 'Learn choices without a reward model' },
  kto: { label: 'KTO', description: 'Learn from thumbs' },
  ppo: { label: 'PPO', description: 'Improve answers by that reward' },
  grpo: { label: 'GRPO', description: 'Improve answers that a program checks' },
};

const initial = {
  stages: defaults.stages,
  seed: defaults.seed,
  sftSteps: defaults.sft.max_steps,
  sftRate: defaults.sft.learning_rate,
  ppoRounds: defaults.ppo.iterations,
  klPrice: defaults.ppo.kl_coef,
  minWinRate: defaults.gate.min_win_rate,
  maxSuiteDrop: defaults.gate.max_suite_drop,
  note: '',
};
type JobForm = typeof initial;

export function StartDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const [form, setForm] = useState<JobForm>(initial);
  const change = (part: Partial<JobForm>) => setForm((current) => ({ ...current, ...part }));
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const start = useMutation({
    mutationFn: startJob,
    onSuccess: async (job) => {
      onClose();
      await queryClient.invalidateQueries({ queryKey: queryKeys.jobs });
      await navigate(`/console/tuning/${job.id}`);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    start.mutate(toJob(form));
  };
  return (
    <Modal opened={opened} onClose={onClose} title={<Text fw={600}>Start a tuning job</Text>} size="lg">
      <form onSubmit={submit}>
        <Stack>
          <StageChoice stages={form.stages} onChange={(stages) => change({ stages })} />
          <Numbers form={form} change={change} />
          <TextInput
            label="Note"
            description="For whoever reads the list later"
            value={form.note}
            onChange={(event) => change({ note: event.currentTarget.value })}
            maxLength={500}
          />
          <FormEnd sending={start} label="Start" disabled={form.stages.length === 0} onCancel={onClose} />
        </Stack>
      </form>
    </Modal>
  );
}

function StageChoice({ stages, onChange }: { stages: TuningStage[]; onChange: (stages: TuningStage[]) => void }) {
  // The order of the stages is fixed, whatever the order they are ticked in.
  const set = (chosen: string[]) => onChange(tuningStages.filter((stage) => chosen.includes(stage)));
  return (
    <Checkbox.Group label="Stages" value={stages} onChange={set}>
      <SimpleGrid mt={6} cols={{ base: 1, xs: 3 }}>
        {tuningStages.map((stage) => (
          <Checkbox key={stage} value={stage} {...stageLabels[stage]} />
        ))}
      </SimpleGrid>
    </Checkbox.Group>
  );
}

const numberFields = [
  { key: 'sftSteps', label: 'SFT: most steps', min: 0, step: 50 },
  { key: 'sftRate', label: 'SFT: learning rate', min: 1e-6, step: 1e-4 },
  { key: 'ppoRounds', label: 'PPO: rounds', min: 0, step: 1 },
  { key: 'klPrice', label: 'PPO: price of KL', min: 0, step: 0.01 },
  { key: 'minWinRate', label: 'Gate: least win rate', min: 0, max: 1, step: 0.05 },
  { key: 'maxSuiteDrop', label: 'Gate: suite may fall by', min: 0, max: 1, step: 0.01 },
  { key: 'seed', label: 'Seed', min: 0, max: 0xffffffff, step: 1 },
] as const;

function Numbers({ form, change }: { form: JobForm; change: (part: Partial<JobForm>) => void }) {
  return (
    <SimpleGrid cols={{ base: 1, xs: 2, sm: 3 }} verticalSpacing="sm">
      {numberFields.map(({ key, ...field }) => (
        <NumberInput
          key={key}
          {...field}
          value={form[key]}
          // An emptied field goes back to the default.
          onChange={(value) => change({ [key]: typeof value === 'number' ? value : initial[key] })}
          decimalScale={7}
        />
      ))}
    </SimpleGrid>
  );
}

function toJob(form: JobForm) {
  return {
    config: {
      stages: form.stages,
      seed: form.seed,
      sft: { max_steps: form.sftSteps, learning_rate: form.sftRate },
      ppo: { iterations: form.ppoRounds, kl_coef: form.klPrice },
      gate: { min_win_rate: form.minWinRate, max_suite_drop: form.maxSuiteDrop },
    },
    ...(form.note.trim() === '' ? {} : { note: form.note.trim() }),
  };
}
