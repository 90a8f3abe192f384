import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browserPage } from '../../../test/browser-page.ts'
import { noBrowser } from '../../../test/machine.ts'
import { folderFor, startService } from './running-service.ts'

test(
  '/docs is Swagger UI from this server alone, with an Authorize button that works',
  { skip: noBrowser() },
  async (context) => {
    const service = startService(folderFor(context), { SERVICE_API_KEY: 'v3ry.L0ng-random_value' })
    const url = await service.url
    const page = await browserPage(context)
    const elsewhere: string[] = []
    const complaints: string[] = []
    page.on('request', (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith('data:')) elsewhere.push(request.url())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.goto(`${url}/docs`)
    await page.getByRole('heading', { name: 'API', exact: false }).first().waitFor()
    assert.equal(await page.title(), 'API')

    const answer = async (): Promise<string | null> => {
      await page.getByRole('button', { name: 'Execute' }).click()
      const status = page.locator('.live-responses-table .response-col_status').last()
      await status.waitFor()
      return status.textContent()
    }
    await page
      .getByRole('button', { name: /^POST .*process/i })
      .first()
      .click()
    await page.getByRole('button', { name: 'Try it out' }).click()
    // As it stands there: the first try of a reader must succeed.
    assert.deepEqual(JSON.parse(await page.locator('textarea.body-param__text').inputValue()), { status: 'SUCCESS' })
    assert.match(String(await answer()), /401/)

    await page.getByRole('button', { name: 'Authorize' }).first().click()
    await page.locator('.modal-ux input').fill('v3ry.L0ng-random_value')
    await page.locator('.modal-ux').getByRole('button', { name: 'Apply credentials' }).click()
    await page.locator('.modal-ux').getByRole('button', { name: 'Close' }).click()
    await page.getByRole('button', { name: 'Clear' }).click()
    assert.match(String(await answer()), /200/)

    assert.deepEqual(elsewhere, [])
    assert.deepEqual(complaints, [])
  },
)

test('there is no ReDoc, and the page loads nothing by an address of another host', async (context) => {
  const service = startService(folderFor(context))
  const url = await service.url
  assert.equal((await fetch(`${url}/redoc`)).status, 404)
  const page = await (await fetch(`${url}/docs`)).text()
  const loaded = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address = '']) => address)
  assert.ok(loaded.length > 3)
  for (const address of loaded) assert.equal(new URL(address, `${url}/docs/`).origin, url, address)
})

test('no page of another origin may put the documents into a frame, and `/` leads to them', async (context) => {
  const url = await startService(folderFor(context)).url
  for (const path of ['/', '/docs', '/docs/', '/openapi.json', '/nothing', '/process']) {
    const { headers } = await fetch(url + path, { redirect: 'manual' })
    assert.equal(headers.get('x-frame-options'), 'DENY', path)
    assert.match(String(headers.get('content-security-policy')), /frame-ancestors 'none'/, path)
  }
  assert.equal((await fetch(url)).url, `${url}/docs`)
  assert.equal((await fetch(`${url}/latchkey`)).url, `${url}/latchkey/docs`)
})
