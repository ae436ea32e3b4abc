import type { ApiKeyView, KeyQuotaRequest } from '@attune/contracts';
import { Group, Modal, NumberInput, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { FormEnd } from '../../../components/ui/form-end.js';
import { queryKeys } from '../../../lib/query-keys.js';
import { setQuota } from '../api/use.js';
import type { DayOfUse } from '../use-by-day.js';
import { UseChart } from './use-chart.js';

type Limits = Required<KeyQuotaRequest>;

const fields: { name: keyof Limits; label: string }[] = [
  { name: 'requests_per_day', label: 'Requests a day' },
  { name: 'tokens_per_day', label: 'Tokens a day' },
  { name: 'max_concurrent', label: 'Answers at once' },
];

export interface LimitsDialogProps {
  apiKey: ApiKeyView;
  days: DayOfUse[];
  onClose: () => void;
}

/** What one key has used, and how much it may use from now on. */
export function LimitsDialog({ apiKey, days, onClose }: LimitsDialogProps) {
  const { requests_per_day, tokens_per_day, max_concurrent } = apiKey;
  const [limits, setLimits] = useState<Limits>({ requests_per_day, tokens_per_day, max_concurrent });
  const queryClient = useQueryClient();
  const save = useMutation({
    mutationFn: (quota: Limits) => setQuota(apiKey.id, quota),
    onSuccess: onClose,
    onSettled: () => queryClient.invalidateQueries({ queryKey: queryKeys.keys }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(limits);
  };
  return (
    <Modal opened onClose={onClose} size="lg" title={<Text fw={600}>{`“${apiKey.name}” of ${apiKey.user_name}`}</Text>}>
      <form onSubmit={submit}>
        <Stack>
          <UseChart days={days} />
          <Text size="sm" c="dimmed">
            Days begin at midnight UTC. A key that has used up its day is answered 429 until the next; an empty field is
            no limit.
          </Text>
          <Group grow align="flex-start">
            {fields.map(({ name, label }) => (
              <NumberInput
                key={name}
                label={label}
                placeholder="no limit"
                value={limits[name] ?? ''}
                onChange={(value) => setLimits((current) => ({ ...current, [name]: limitOf(value) }))}
                min={1}
                allowDecimal={false}
                allowNegative={false}
                thousandSeparator=" "
                hideControls
              />
            ))}
          </Group>
          <FormEnd sending={save} label="Set the limits" onCancel={onClose} />
        </Stack>
      </form>
    </Modal>
  );
}

const limitOf = (value: number | string): number | null => (value === '' ? null : Number(value));
