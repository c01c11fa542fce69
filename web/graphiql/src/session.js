import { say } from './language'

// A form on another site cannot send this header, so the server demands it.
export const PREFLIGHT = { 'GraphQL-Preflight': '1' }

// Who is signed in, or null. The session is a cookie that scripts cannot read.
export async function whoIsSignedIn() {
  const answer = await ask('GET')
  return answer.account
}

// The account that is now signed in; throws the server's sentence if it refuses, with its code.
export async function signIn(phone, password, code) {
  const answer = await ask('POST', { phone, password, code })
  return answer.account
}

export async function signOut() {
  await ask('DELETE')
}

async function ask(method, wanted) {
  const response = await fetch('/session', {
    method,
    headers: { ...PREFLIGHT, 'Content-Type': 'application/json' },
    body: wanted && JSON.stringify(wanted),
  }).catch(() => null)
  const answer = await response?.json().catch(() => ({}))
  if (response?.ok) return answer
  const refusal = new Error(answer?.errors?.map((error) => error.message).join(' ') || say.failed)
  throw Object.assign(refusal, { code: answer?.errors?.[0].code })
}
