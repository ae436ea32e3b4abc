import type { CreatedApiKey, Role, UserView } from '@attune/contracts';
import { Modal, Select, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { FormEnd } from '../../../components/ui/form-end.js';
import { queryKeys } from '../../../lib/query-keys.js';
import { createKey, createUser, usersQuery } from '../api/accounts.js';
import { SecretView } from './secret-view.js';

const NEW_USER = 'new';
const roles: { value: Role; label: string }[] = [
  { value: 'user', label: 'user: chats and gives feedback' },
  { value: 'reviewer', label: 'reviewer: also decides what is learned' },
  { value: 'admin', label: 'admin: also documents, tuning, checkpoints, keys' },
];

interface KeyForm {
  userId: string;
  userName: string;
  role: Role;
  keyName: string;
}

/** Makes a key for someone, who may be new; then shows its secret once. */
export function NewKeyDialog({ onClose }: { onClose: () => void }) {
  const [form, setForm] = useState<KeyForm>({ userId: NEW_USER, userName: '', role: 'user', keyName: '' });
  const change = (part: Partial<KeyForm>) => setForm((current) => ({ ...current, ...part }));
  const users = useQuery(usersQuery());
  const queryClient = useQueryClient();
  const make = useMutation({
    mutationFn: makeKey,
    onSettled: () =>
      Promise.all([
        queryClient.invalidateQueries({ queryKey: queryKeys.users }),
        queryClient.invalidateQueries({ queryKey: queryKeys.keys }),
      ]),
  });
  const complete = form.keyName.trim() !== '' && (form.userId !== NEW_USER || form.userName.trim() !== '');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (complete) make.mutate(form);
  };
  return (
    <Modal opened onClose={onClose} title={<Text fw={600}>New key</Text>} closeOnClickOutside={make.data === undefined}>
      {make.data ? (
        <SecretView created={make.data} onClose={onClose} />
      ) : (
        <form onSubmit={submit}>
          <Stack>
            <Fields form={form} change={change} users={users.data ?? []} />
            <FormEnd sending={make} label="Make the key" disabled={!complete} onCancel={onClose} />
          </Stack>
        </form>
      )}
    </Modal>
  );
}

interface FieldsProps {
  form: KeyForm;
  change: (part: Partial<KeyForm>) => void;
  users: UserView[];
}

function Fields({ form, change, users }: FieldsProps) {
  const people = users.map((user) => ({ value: user.id, label: `${user.name} (${user.role})` }));
  return (
    <>
      <Select
        label="For"
        data={[{ value: NEW_USER, label: 'Someone new' }, ...people]}
        value={form.userId}
        onChange={(userId) => change({ userId: userId ?? NEW_USER })}
        allowDeselect={false}
        searchable
      />
      {form.userId === NEW_USER && (
        <>
          <TextInput
            label="Their name"
            value={form.userName}
            onChange={(event) => change({ userName: event.currentTarget.value })}
            maxLength={120}
            data-autofocus
          />
          <Select
            label="Role"
            data={roles}
            value={form.role}
            onChange={(role) => change({ role: (role as Role | null) ?? 'user' })}
            allowDeselect={false}
          />
        </>
      )}
      <TextInput
        label="Name of the key"
        placeholder="Where it will be used"
        value={form.keyName}
        onChange={(event) => change({ keyName: event.currentTarget.value })}
        maxLength={120}
      />
    </>
  );
}

async function makeKey(form: KeyForm): Promise<CreatedApiKey> {
  const userId =
    form.userId === NEW_USER ? (await createUser({ name: form.userName.trim(), role: form.role })).id : form.userId;
  return createKey({ user_id: userId, name: form.keyName.trim() });
}
