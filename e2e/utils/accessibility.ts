/**
 * Looks for what keeps people out: controls without a name, fields without a label, text too pale, references that lead nowhere,
 * parts of a widget outside of it, scrolled regions the keyboard cannot reach. The rules are those of WCAG 2.2 AA that a program
 * can decide. The editor's inside (Monaco) is not ours to judge.
 */
import type { Page } from 'playwright-core';

export async function accessibilityFaults(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const faults: string[] = [];
    const where = (element: Element): string => {
      const text = (element.textContent ?? '').trim().slice(0, 40);
      return `<${element.tagName.toLowerCase()}${element.id === '' ? '' : `#${element.id}`}${element.getAttribute('role') === null ? '' : ` role=${element.getAttribute('role')}`}> "${text}"`;
    };
    const top: Element = document.querySelector('dialog[open]') ?? document.body;
    const isShown = (element: Element): boolean => {
      if (element.closest('.monaco-editor, .monaco-aria-container, [aria-hidden=true]') !== null)
        return false;
      const box = element.getBoundingClientRect();
      return box.width > 0 && box.height > 0 && getComputedStyle(element).visibility !== 'hidden';
    };
    const all = [...top.querySelectorAll('*')].filter(isShown);
    const nameOf = (element: Element): string => {
      const label = element.getAttribute('aria-label');
      if (label !== null && label.trim() !== '') return label;
      const by = element.getAttribute('aria-labelledby');
      if (by !== null)
        return by
          .split(/\s+/)
          .map((id) => document.getElementById(id)?.textContent ?? '')
          .join(' ');
      if (
        element instanceof HTMLInputElement ||
        element instanceof HTMLSelectElement ||
        element instanceof HTMLTextAreaElement
      )
        return [...(element.labels ?? [])].map((one) => one.textContent ?? '').join(' ');
      return element.textContent ?? '';
    };
    // Names.
    for (const element of all) {
      const isControl = element.matches(
        'button, a[href], input, select, textarea, summary, [role=button], [role=tab], [role=option], [role=treeitem], [role=grid], [role=treegrid], [role=tree], [role=tablist], [role=toolbar], [role=img], [role=dialog], dialog, [role=listbox], progress, meter',
      );
      if (
        isControl &&
        nameOf(element).trim() === '' &&
        !(element instanceof HTMLInputElement && element.type === 'hidden')
      )
        faults.push(`no name: ${where(element)}`);
    }
    // Identity and references.
    const ids = new Map<string, number>();
    for (const element of document.querySelectorAll('[id]')) {
      if (element.closest('.monaco-editor') === null) ids.set(element.id, (ids.get(element.id) ?? 0) + 1);
    }
    for (const [id, count] of ids) if (count > 1) faults.push(`id "${id}" is there ${count} times`);
    for (const element of all) {
      for (const name of ['aria-labelledby', 'aria-controls', 'aria-activedescendant', 'aria-describedby']) {
        const value = element.getAttribute(name);
        for (const id of value?.split(/\s+/).filter((one) => one !== '') ?? []) {
          if (document.getElementById(id) === null && name !== 'aria-activedescendant')
            faults.push(`${name} leads nowhere: ${where(element)}`);
        }
      }
    }
    // Widgets and their parts.
    const parts: Record<string, string> = {
      tab: '[role=tablist]',
      option: '[role=listbox]',
      treeitem: '[role=tree], [role=group]',
      row: '[role=grid], [role=treegrid], [role=table], table',
      gridcell: '[role=row], tr',
      columnheader: '[role=row], tr',
    };
    for (const element of all) {
      const parent = parts[element.getAttribute('role') ?? ''];
      if (parent !== undefined && element.parentElement?.closest(parent) === null)
        faults.push(`outside of its widget: ${where(element)}`);
      if (element.matches('button, a[href]') && element.parentElement?.closest('button, a[href]') != null)
        faults.push(`control inside a control: ${where(element)}`);
      if (element.tagName === 'LI' && !element.parentElement?.matches('ul, ol, menu'))
        faults.push(`li outside of a list: ${where(element)}`);
      if (element.matches('ul, ol') && [...element.children].some((child) => child.tagName !== 'LI'))
        faults.push(`list with other children: ${where(element)}`);
    }
    // Scrolled regions.
    for (const element of all) {
      const { overflowY, overflowX } = getComputedStyle(element);
      const scrolls =
        (/auto|scroll/.test(overflowY) && element.scrollHeight > element.clientHeight + 8) ||
        (/auto|scroll/.test(overflowX) && element.scrollWidth > element.clientWidth + 8);
      if (!scrolls) continue;
      const isReachable =
        element.matches('[tabindex], textarea, select, input') ||
        element.querySelector(
          'a[href], button:not([disabled]), input, select, textarea, [tabindex="0"], summary',
        ) !== null;
      if (!isReachable) faults.push(`scrolls, but not by keyboard: ${where(element)}`);
    }
    // Contrast.
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const rgba = (colour: string): [number, number, number, number] => {
      if (canvas === null) return [0, 0, 0, 1];
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
      return [red, green, blue, alpha / 255];
    };
    const over = (front: number[], back: number[]): [number, number, number, number] => [
      front[0] * front[3] + back[0] * (1 - front[3]),
      front[1] * front[3] + back[1] * (1 - front[3]),
      front[2] * front[3] + back[2] * (1 - front[3]),
      1,
    ];
    const luminance = (colour: number[]): number => {
      const [red, green, blue] = colour.slice(0, 3).map((value) => {
        const share = value / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const seen = new Set<string>();
    for (const element of all) {
      const hasText = [...element.childNodes].some(
        (node) => node.nodeType === 3 && (node.textContent ?? '').trim() !== '',
      );
      if (!hasText || element.closest('svg, :disabled, option') !== null || element.matches(':disabled'))
        continue;
      const style = getComputedStyle(element);
      const behind: string[] = [];
      let isPicture = false;
      for (let at: Element | null = element; at !== null; at = at.parentElement) {
        const own = getComputedStyle(at);
        if (own.backgroundImage !== 'none') isPicture = true;
        behind.push(own.backgroundColor);
      }
      if (isPicture) continue;
      let back: [number, number, number, number] = [255, 255, 255, 1];
      for (const colour of behind.reverse()) {
        const layer = rgba(colour);
        if (layer[3] > 0) back = over(layer, back);
      }
      const front = over(rgba(style.color), back);
      const [light, dark] = [luminance(front), luminance(back)].sort((left, right) => right - left);
      const ratio = (light + 0.05) / (dark + 0.05);
      const size = Number.parseFloat(style.fontSize);
      const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      if (ratio < (isLarge ? 3 : 4.5)) {
        const fault = `contrast ${ratio.toFixed(2)} of ${style.color} on ${back.slice(0, 3).map(Math.round).join(',')}: ${where(element)}`;
        if (!seen.has(`${style.color} ${back.join()}`)) faults.push(fault);
        seen.add(`${style.color} ${back.join()}`);
      }
    }
    if (document.documentElement.lang === '') faults.push('the page has no language');
    if (document.title === '') faults.push('the page has no title');
    return faults.slice(0, 20);
  });
}
