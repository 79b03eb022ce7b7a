/** Setting the home up, its settings, backup and wiping. */

import { api, ask } from "./client";
import type {
  BackupAnswer,
  ContentsAnswer,
  DoomedAnswer,
  EnrolledAnswer,
  EnrolledByCodeAnswer,
  EnrolOrder,
  FirstOrder,
  MeAnswer,
  OutcomeAnswer,
  ServersAnswer,
  SettingsAnswer,
  SetupAnswer,
  TariffAnswer,
  TariffModel,
} from "./schema";
import type { Value } from "../logic/setting";

export type StepState = "open" | "done" | "skipped";

export const loadSetup = (): Promise<SetupAnswer> => ask(api.GET("/api/setup"));

export const setStep = (step: string, state: StepState): Promise<SetupAnswer> =>
  ask(api.POST("/api/setup/steps/{step}", { params: { path: { step } }, body: { state } }));

export const loadSettings = (): Promise<SettingsAnswer> => ask(api.GET("/api/settings"));

export const saveSettings = (settings: Record<string, Value>): Promise<OutcomeAnswer> =>
  ask(api.PUT("/api/settings", { body: { settings } }));

export const goBackTo = (number: number): Promise<OutcomeAnswer> =>
  ask(
    api.POST("/api/settings/versions/{number}", { params: { path: { number: String(number) } } }),
  );

export const loadTariff = (): Promise<TariffAnswer> => ask(api.GET("/api/settings/tariff"));

export const saveTariff = (body: TariffModel): Promise<OutcomeAnswer> =>
  ask(api.PUT("/api/settings/tariff", { body }));

export const dropTariff = (): Promise<OutcomeAnswer> => ask(api.DELETE("/api/settings/tariff"));

export const loadUtility = (): Promise<EnrolledAnswer> => ask(api.GET("/api/setup/utility"));

export const enrol = (body: EnrolOrder): Promise<OutcomeAnswer> =>
  ask(api.POST("/api/setup/utility", { body }));

export const enrolByCode = (code: string): Promise<EnrolledByCodeAnswer> =>
  ask(api.POST("/api/setup/utility/code", { body: { code } }));

export const leaveUtility = (): Promise<OutcomeAnswer> => ask(api.DELETE("/api/setup/utility"));

export const searchServers = (): Promise<ServersAnswer> =>
  ask(api.POST("/api/setup/utility/search"));

export const makeBackup = (passphrase: string): Promise<BackupAnswer> =>
  ask(api.POST("/api/backup", { body: { passphrase } }));

export const loadDoomed = (): Promise<DoomedAnswer> => ask(api.GET("/api/wipe"));

export const wipe = (typed: string): Promise<unknown> =>
  ask(api.POST("/api/wipe", { body: { typed } }));

export const lookInto = (id: string, passphrase: string): Promise<ContentsAnswer> =>
  ask(api.POST("/api/restore/{id}/look", { params: { path: { id } }, body: { passphrase } }));

export const restore = (id: string, passphrase: string): Promise<ContentsAnswer> =>
  ask(api.POST("/api/restore/{id}", { params: { path: { id } }, body: { passphrase } }));

/** Send a backup piece by piece; returns its id. */
export async function sendBackup(file: File, onShare: (share: number) => void): Promise<string> {
  const { id, most } = await ask(api.POST("/api/restore"));
  for (let offset = 0; offset < file.size; offset += most) {
    const path = { id, offset: String(offset) };
    const body = file.slice(offset, offset + most);
    await ask(
      api.PUT("/api/restore/{id}/{offset}", {
        params: { path },
        headers: { "Content-Type": "application/octet-stream" },
        // A file is sent as it is; the description only says "octets".
        body: body as never,
        bodySerializer: (octets: unknown) => octets as Blob,
      }),
    );
    onShare(Math.min(1, (offset + most) / file.size));
  }
  return id;
}

/** Make the owner's account, the first of the home, and log in with it. */
export const makeFirst = (body: FirstOrder): Promise<MeAnswer> =>
  ask(api.POST("/api/first", { body }));
