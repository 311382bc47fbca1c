// Addresses of one call and one device. Pure.
// The tenant is `tenant_id` there: it names the thing, and is no filter that goes along to other pages.

export function callHref(call: { tenant_id: string; call_uuid: string }): string {
  return `/calls/${call.call_uuid}?tenant_id=${encodeURIComponent(call.tenant_id)}`;
}

export function deviceHref(device: { tenant_id: string; device_id: string }): string {
  return `/devices/${encodeURIComponent(device.device_id)}?tenant_id=${encodeURIComponent(device.tenant_id)}`;
}

/** What a page about one thing asks the API beside its id. */
export function tenantOf(params: URLSearchParams): URLSearchParams {
  const tenant = params.get('tenant_id');
  return new URLSearchParams(tenant === null ? {} : { tenant });
}
