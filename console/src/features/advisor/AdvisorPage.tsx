export function AdvisorPage() {
  return null;
}
