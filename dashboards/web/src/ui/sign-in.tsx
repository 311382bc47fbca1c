// Asks for the token that the API wants. It stays in this tab's session and goes into no address.
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { setToken, signIn } from '../state/session';
import { useStore } from '../state/store';

export function SignIn() {
  const { why } = useStore(signIn);
  const [value, setValue] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const id = useId();
  useEffect(() => field.current?.focus(), []);
  return (
    <form
      class="sign-in panel"
      onSubmit={(event) => {
        event.preventDefault();
        if (value.trim() !== '') setToken(value.trim());
      }}
    >
      <h1 id="page-title" tabIndex={-1}>
        Sign in
      </h1>
      <p class="says">This Ringtrace wants a token with the role “read”. Whoever runs it can give you one.</p>
      <label for={id}>Token</label>
      <input
        id={id}
        ref={field}
        type="password"
        autocomplete="off"
        value={value}
        aria-describedby={why === null ? undefined : `${id}w`}
        aria-invalid={why !== null}
        onInput={(event) => setValue(event.currentTarget.value)}
      />
      {why !== null && (
        <p id={`${id}w`} class="field-error" role="alert">
          {why}
        </p>
      )}
      <p class="soft">It is kept until this tab is closed.</p>
      <button type="submit" class="button button-main">
        Sign in
      </button>
    </form>
  );
}
