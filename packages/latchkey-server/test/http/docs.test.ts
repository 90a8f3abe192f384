import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browserPage } from '../../../../test/browser-page.ts'
import { noBrowser } from '../../../../test/machine.ts'
import type { Document, Operation } from '../document.ts'
import { operationsOf, successOf } from '../document.ts'
import { everything, openStage } from '../stage.ts'

type Page = Awaited<ReturnType<typeof browserPage>>

/** An operation on the page. */
function blockOf(page: Page, { tags: [tag], operationId }: Operation): ReturnType<Page['locator']> {
  return page.locator(`#operations-${tag}-${operationId}`)
}

/** Opens an operation and presses "Try it out". */
async function tryOut(page: Page, operation: Operation): Promise<void> {
  const block = blockOf(page, operation)
  await block.locator('.opblock-summary-control').click()
  await block.locator('.try-out__btn').click()
}

/** Presses Execute, reads the status that the page then shows, and closes the operation: many open ones are slow. */
async function execute(page: Page, operation: Operation): Promise<number> {
  const block = blockOf(page, operation)
  await block.locator('.execute').click()
  const status = await block.locator('.live-responses-table .response-col_status').last().textContent()
  for (const button of ['.btn-clear', '.try-out__btn', '.opblock-summary-control']) {
    await block.locator(button).dispatchEvent('click')
  }
  return Number.parseInt(String(status), 10)
}

/** What no test looks at takes most of the time to draw. */
const undrawn = '.responses-table:not(.live-responses-table), section.models { display: none }'

test('/docs is this server alone, and "Try it out" succeeds untouched', { skip: noBrowser() }, async (context) => {
  // Not the scopes and the environments that the sources have in their examples.
  const stage = await openStage({ scopes: { 'rooms:read': 'See rooms' }, environments: ['prod', 'lab'] })
  const admin = await stage.admin({
    delegation: { ...everything, environments: ['prod', 'lab', 'admin'], scopes: ['*'] },
  })
  const url = await stage.app.listen({ port: 0, host: '127.0.0.1' })
  const page = await browserPage(context)
  context.after(stage.finish)
  const elsewhere: string[] = []
  const complaints: string[] = []
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('data:')) elsewhere.push(request.url())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  // What the content policy forbids is told here.
  page.on('console', (message) => {
    if (/content security policy/i.test(message.text())) complaints.push(message.text())
  })
  const operations = operationsOf((await (await fetch(`${url}/openapi.json`)).json()) as Document)

  await page.goto(`${url}/docs`)
  await page.getByRole('heading', { name: 'Latchkey' }).first().waitFor()
  await page.addStyleTag({ content: undrawn })
  const first = operations.find(({ security }) => security.length > 0) ?? assert.fail()
  await tryOut(page, first)
  assert.equal(await execute(page, first), 401)
  await page.getByRole('button', { name: 'Authorize' }).first().click()
  await page.locator('.modal-ux input').fill(admin.secret)
  await page.locator('.modal-ux').getByRole('button', { name: 'Apply credentials' }).click()
  await page.locator('.modal-ux').getByRole('button', { name: 'Close' }).click()

  // Those with a path to one key, owner or refusal cannot: the document leaves it to the reader which one.
  const possible = operations.filter(({ parameters = [] }) => !parameters.some(({ required }) => required === true))
  assert.ok(possible.length > 10)
  for (const operation of possible) {
    await tryOut(page, operation)
    assert.equal(await execute(page, operation), successOf(operation), operation.operationId)
  }

  assert.deepEqual(elsewhere, [])
  assert.deepEqual(complaints, [])
})
