import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browserPage } from '../../../../test/browser-page.ts'
import { noBrowser } from '../../../../test/machine.ts'
import { openStage } from '../stage.ts'

test(
  '/docs works under its own content policy, from this server alone, and Authorize takes an admin key',
  { skip: noBrowser() },
  async (context) => {
    const stage = await openStage()
    const admin = await stage.admin()
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
    await page.goto(`${url}/docs`)
    await page.getByRole('heading', { name: 'Latchkey' }).first().waitFor()

    const answer = async (): Promise<string | null> => {
      await page.getByRole('button', { name: 'Execute' }).click()
      const status = page.locator('.live-responses-table .response-col_status').last()
      await status.waitFor()
      return status.textContent()
    }
    await page
      .getByRole('button', { name: /^GET .*v1.*keyring/i })
      .first()
      .click()
    await page.getByRole('button', { name: 'Try it out' }).click()
    assert.match(String(await answer()), /401/)
    await page.getByRole('button', { name: 'Authorize' }).first().click()
    await page.locator('.modal-ux input').fill(admin.secret)
    await page.locator('.modal-ux').getByRole('button', { name: 'Apply credentials' }).click()
    await page.locator('.modal-ux').getByRole('button', { name: 'Close' }).click()
    await page.getByRole('button', { name: 'Clear' }).click()
    assert.match(String(await answer()), /200/)

    assert.deepEqual(elsewhere, [])
    assert.deepEqual(complaints, [])
  },
)
