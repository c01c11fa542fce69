import { createGraphiQLFetcher } from '@graphiql/toolkit'
import { GraphiQL } from 'graphiql'
import { useEffect, useState } from 'react'
import { say } from './language'
import { PREFLIGHT, whoIsSignedIn } from './session'
import { SignIn } from './sign-in'
import { storage } from './storage'
import tour from './tour.graphql?raw'

const fetcher = createGraphiQLFetcher({
  url: '/graphql',
  headers: PREFLIGHT,
  subscriptionUrl: new URL('/graphql', location.href).href.replace(/^http/, 'ws'),
  enableIncrementalDelivery: false,
})

export function Page() {
  const [account, setAccount] = useState()
  useEffect(() => {
    whoIsSignedIn().then(setAccount, () => setAccount(null))
  }, [])
  if (account === undefined) return null

  return (
    <>
      <header>
        <h1>{say.title} <small>GraphiQL</small></h1>
        <SignIn account={account} onChange={setAccount} />
      </header>
      <GraphiQL
        // Another person, another GraphiQL: it fetches the schema again and shows nobody else's answers.
        key={account && `${account.phone} ${account.realName}`}
        fetcher={fetcher}
        // The schema is for who is signed in; null keeps GraphiQL from asking for it.
        schema={account ? undefined : null}
        storage={storage}
        defaultTabs={[{ query: tour }]}
        inputValueDeprecation
        schemaDescription
        // History keeps headers, and a header may hold a token. Signing in above needs none.
        isHeadersEditorEnabled={false}
        shouldPersistHeaders={false}
      >
        <GraphiQL.Logo><span /></GraphiQL.Logo>
      </GraphiQL>
    </>
  )
}
