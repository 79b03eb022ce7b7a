/** What is asked and told about devices: their detail, wishes, settings, and new ones. */

import { api, ask } from "./client";
import type {
  ChoicesAnswer,
  DeviceDetailAnswer,
  DeviceSettingsAnswer,
  EditBody,
  JoinAnswer,
  JoinBody,
  MoveOutcomeAnswer,
  SearchAnswer,
} from "./types";

function at(device: string) {
  return { params: { path: { device } } };
}

/** Return all that is known of a device; the hub asks the device itself. */
export function fetchDevice(device: string, signal: AbortSignal): Promise<DeviceDetailAnswer> {
  return ask(api.GET("/api/devices/{device}", { ...at(device), signal }));
}

/** Have a device run at a power (W, passive sign) until a time (UTC epoch seconds). */
export async function wishFor(device: string, power_w: number, until: number): Promise<void> {
  await ask(api.POST("/api/devices/{device}/wish", { ...at(device), body: { power_w, until } }));
}

/** Leave a device to the hub again. */
export async function endWish(device: string): Promise<void> {
  await ask(api.DELETE("/api/devices/{device}/wish", at(device)));
}

/** Have a device do its test move; takes half a minute or more. */
export function testDevice(device: string): Promise<MoveOutcomeAnswer> {
  return ask(api.POST("/api/devices/{device}/test", at(device)));
}

/** Return what stands of a device in the home's files. */
export function fetchSettings(device: string, signal: AbortSignal): Promise<DeviceSettingsAnswer> {
  return ask(api.GET("/api/devices/{device}/settings", { ...at(device), signal }));
}

export async function saveSettings(device: string, body: EditBody): Promise<void> {
  await ask(api.PUT("/api/devices/{device}/settings", { ...at(device), body }));
}

export async function removeDevice(device: string): Promise<void> {
  await ask(api.DELETE("/api/devices/{device}", at(device)));
}

export function fetchSearch(): Promise<SearchAnswer> {
  return ask(api.GET("/api/found"));
}

/** Begin a search, in the home's networks or at one place only. */
export function startSearch(at: string[]): Promise<SearchAnswer> {
  return ask(api.POST("/api/found", { body: { at } }));
}

export function stopSearch(): Promise<SearchAnswer> {
  return ask(api.DELETE("/api/found"));
}

export function fetchChoices(): Promise<ChoicesAnswer> {
  return ask(api.GET("/api/found/choices"));
}

export function fetchJoin(): Promise<JoinAnswer> {
  return ask(api.GET("/api/found/join"));
}

export function joinDevice(body: JoinBody): Promise<JoinAnswer> {
  return ask(api.POST("/api/found/join", { body }));
}

export function confirmJoin(): Promise<JoinAnswer> {
  return ask(api.POST("/api/found/join/confirm"));
}

export function dropJoin(): Promise<JoinAnswer> {
  return ask(api.DELETE("/api/found/join"));
}
