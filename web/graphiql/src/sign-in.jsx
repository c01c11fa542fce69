import { useState } from 'react'
import { say } from './language'
import { signIn, signOut } from './session'

// The form, or the person's name and the way out. `onChange` gets the account, or null.
export function SignIn({ account, onChange }) {
  const [refusal, setRefusal] = useState('')
  const [busy, setBusy] = useState(false)
  // Whether the account wants a code beside the password; nobody knows before the password was right.
  const [asked, setAsked] = useState(false)

  async function attempt(request) {
    setBusy(true)
    setRefusal('')
    try {
      onChange(await request())
    } catch (error) {
      setRefusal(error.message)
      if (error.code?.startsWith('SECOND_FACTOR')) setAsked(true)
    }
    setBusy(false)
  }

  function submit(event) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    attempt(() => signIn(form.get('phone').trim(), form.get('password'), form.get('code') ?? undefined))
  }

  const leave = () => {
    setAsked(false)
    attempt(() => signOut().then(() => null))
  }

  return (
    <div className="session">
      <output id="refusal" role="alert">{refusal}</output>
      {account ? (
        <>
          <span id="who" title={account.phone}>{account.realName}</span>
          <button id="sign-out" type="button" disabled={busy} onClick={leave}>{say.signOut}</button>
        </>
      ) : (
        <form onSubmit={submit}>
          <input id="phone" name="phone" type="tel" autoComplete="username" required
            placeholder={say.phone} aria-label={say.phone} />
          <input id="password" name="password" type="password" autoComplete="current-password" required
            placeholder={say.password} aria-label={say.password} />
          {asked && (
            <input id="code" name="code" inputMode="numeric" autoComplete="one-time-code" required autoFocus
              placeholder={say.code} aria-label={say.code} />
          )}
          <button id="sign-in" disabled={busy}>{say.signIn}</button>
        </form>
      )}
    </div>
  )
}
