import type { CheckpointView } from '@attune/contracts';
import { Accordion, Stack, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useLocation } from 'react-router';
import { ConfirmButton } from '../../../components/ui/confirm-button.js';
import { notifyDone, notifyError } from '../../../components/ui/notify.js';
import { PageHeader } from '../../../components/ui/page-header.js';
import { Page } from '../../../components/ui/page.js';
import { QueryView } from '../../../components/ui/query-view.js';
import { queryKeys } from '../../../lib/query-keys.js';
import { checkpointsQuery, promote, promotionsQuery, rollBack } from '../api/checkpoints.js';
import { CheckpointItem } from './checkpoint-item.js';
import { PromotionHistory } from './promotion-history.js';

export function CheckpointsPage() {
  const checkpoints = useQuery(checkpointsQuery());
  const promotions = useQuery(promotionsQuery());
  const { putLive, back } = usePromotions();
  const { hash } = useLocation();
  const [opened, setOpened] = useState<string | null>(hash === '' ? null : hash.slice(1));
  const previous = promotions.data?.[0]?.previous_checkpoint_id;
  return (
    <Page>
      <PageHeader
        title="Checkpoints"
        about="Every set of weights this gateway can answer from. Putting one live never disturbs an answer that is running."
        actions={
          promotions.data !== undefined &&
          promotions.data.length > 0 && (
            <ConfirmButton
              label="Roll back"
              question={`The next answers come from ${previous ?? 'the base model'} again, which was live before.`}
              onConfirm={() => back.mutate()}
              loading={back.isPending}
              variant="light"
              color="orange"
            />
          )
        }
      />
      <QueryView query={checkpoints}>
        {(all) => (
          <Accordion variant="separated" radius="lg" value={opened} onChange={setOpened}>
            {all.map((checkpoint) => (
              <CheckpointItem
                key={checkpoint.id}
                checkpoint={checkpoint}
                onPutLive={mayGoLive(checkpoint) ? () => putLive.mutate(checkpoint.id) : null}
              />
            ))}
          </Accordion>
        )}
      </QueryView>
      <Stack mt={40} gap="sm">
        <Title order={2}>What was live when</Title>
        <QueryView query={promotions}>{(all) => <PromotionHistory promotions={all} />}</QueryView>
      </Stack>
    </Page>
  );
}

/** Weights go live only through the gate; the base model has always been fit to serve. */
function mayGoLive(checkpoint: CheckpointView): boolean {
  if (checkpoint.status === 'live') return false;
  return checkpoint.id === 'base' || checkpoint.gate_report?.passed === true;
}

function usePromotions() {
  const queryClient = useQueryClient();
  const refresh = () =>
    Promise.all([
      queryClient.invalidateQueries({ queryKey: queryKeys.checkpoints }),
      queryClient.invalidateQueries({ queryKey: queryKeys.promotions }),
    ]);
  const common = { onError: notifyError, onSettled: refresh };
  const putLive = useMutation({
    mutationFn: promote,
    onSuccess: ({ checkpoint_id: id }) => notifyDone(`${name(id)} is live.`),
    ...common,
  });
  const back = useMutation({
    mutationFn: rollBack,
    onSuccess: ({ checkpoint_id: id }) => notifyDone(`Rolled back: ${name(id)} is live again.`),
    ...common,
  });
  return { putLive, back };
}

const name = (id: string) => (id === 'base' ? 'The base model' : id);
