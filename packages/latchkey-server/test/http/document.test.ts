import assert from 'node:assert/strict'
import { Ajv2020 } from 'ajv/dist/2020.js'
import ajvFormats from 'ajv-formats'
import type { Document } from '../document.ts'
import { exampleOf, linkTo, operationsOf, successOf, valueAt } from '../document.ts'
import { everything, scenario } from '../stage.ts'

/** Every place in a document, as a JSON Pointer and what stands there. */
function* placesOf(value: unknown, pointer = ''): Generator<readonly [string, Readonly<Record<string, unknown>>]> {
  if (typeof value !== 'object' || value === null) return
  yield [pointer, value as Readonly<Record<string, unknown>>]
  for (const [name, member] of Object.entries(value)) {
    const part = encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))
    yield* placesOf(member, `${pointer}/${part}`)
  }
}

scenario('every example in the document is one that its schema admits', async ({ send }) => {
  const document = (await send('GET /openapi.json')).json()
  const ajv = new Ajv2020({ strict: false })
  ajvFormats.default(ajv)
  ajv.addSchema(document, 'document')
  let tried = 0
  for (const [pointer, { examples, example, schema }] of placesOf(document)) {
    const place = schema === undefined ? pointer : `${pointer}/schema`
    const shown = [...(Array.isArray(examples) ? examples : []), ...(example === undefined ? [] : [example])]
    for (const one of shown) {
      const fits = ajv.compile({ $ref: `document#${place}` })
      assert.ok(fits(one), `${place} ${JSON.stringify(one)} ${JSON.stringify(fits.errors)}`)
      tried++
    }
  }
  assert.ok(tried > 50, String(tried))
})

scenario('every operation, parameter and member of a body has a description', async ({ send }) => {
  const document = (await send('GET /openapi.json')).json()
  for (const [pointer, { properties, parameters }] of placesOf(document)) {
    for (const [name, member] of Object.entries((properties ?? {}) as Record<string, Record<string, unknown>>)) {
      const { description, $ref, items } = member as { description?: string; $ref?: string; items?: object }
      // Of an object with a name its own members say what it is, also in a list.
      const saysItself = $ref !== undefined || (items !== undefined && ('$ref' in items || 'properties' in items))
      assert.ok(description !== undefined || saysItself, `${pointer} ${name}`)
    }
    for (const parameter of (Array.isArray(parameters) ? parameters : []) as readonly Readonly<
      Record<string, unknown>
    >[])
      assert.ok(parameter['description'] !== undefined, `${pointer} ${String(parameter['name'])}`)
  }
})

// Of any keyring: neither these scopes nor this environment are those of the examples in the sources.
for (const scopes of [{ 'rooms:read': 'See rooms' }, {}]) {
  const declared = Object.keys(scopes).length
  scenario(
    `every operation succeeds as the document shows it, with ${declared} declared scopes`,
    async ({ admin, send }) => {
      const as = await admin({ delegation: { ...everything, environments: ['prod', 'lab', 'admin'], scopes: ['*'] } })
      const operations = operationsOf((await send('GET /openapi.json')).json<Document>())
      for (const operation of operations) {
        const { method, operationId, parameters = [] } = operation
        let { path } = operation
        for (const { name, required } of parameters) {
          if (required !== true) continue
          const { source, expression } = linkTo(operations, { operationId, name })
          const answer = await send(`${source.method} ${source.path}`, { as, body: exampleOf(source) })
          path = path.replace(`{${name}}`, valueAt(expression, answer))
        }
        // Only a revoked key can be erased, and only a disabled owner.
        if (operationId === 'eraseOwner') await send(`PATCH ${path}`, { as, body: { disabled: true } })
        if (operationId === 'eraseKey') await send(`POST ${path}/revoke`, { as, body: { reason: 'unused' } })
        const answer = await send(`${method} ${path}`, { as, body: exampleOf(operation) })
        assert.equal(answer.statusCode, successOf(operation), `${operationId} ${answer.body}`)
      }
    },
    { scopes, environments: ['prod', 'lab'] },
  )
}
