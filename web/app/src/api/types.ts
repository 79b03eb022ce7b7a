/** The API's answers, as in `web/models.py`. Powers: consumption positive. Times: UTC seconds. */

export interface DeviceAnswer {
  id: string;
  name: string;
  kind: string;
  power_w: number | null;
  soc: number | null;
  temp_c: number | null;
  connected: boolean | null;
  wants_power: boolean | null;
  quality: string;
  age_s: number | null;
  setpoint_w: number | null;
  reason: string;
  error: string | null;
  ages: Record<string, number>;
  suspect: string[];
  safe: string;
  risk: string;
  control: string;
  min_w: number;
  max_w: number;
  owned: boolean;
  wish_w: number | null;
  wish_until: number | null;
  functions: string[];
}

export interface EventAnswer {
  id: string;
  program: string;
  title: string;
  effect: string;
  state: string;
  starts_at: number | null;
  ends_at: number | null;
  opted_out: boolean;
  may_opt_out: boolean;
  note: string;
  consequence: string;
}

export interface MessageAnswer {
  id: string;
  program: string;
  text: string;
  urgent: boolean;
  starts_at: number;
  ends_at: number | null;
  acknowledged: boolean;
  may_acknowledge: boolean;
}

export interface PriceAnswer {
  tariff: string;
  currency: string;
  per_kwh: number;
  until: number | null;
  next_per_kwh: number | null;
}

export interface UtilityAnswer {
  state: string;
  detail: string;
  server: string;
  lfdi: string;
  last_contact: number | null;
  name: string;
}

export interface HomeAnswer {
  at: number;
  seq: number;
  net_w: number | null;
  limit_import_w: number | null;
  limit_export_w: number | null;
  devices: DeviceAnswer[];
  events: EventAnswer[];
  utility: UtilityAnswer;
  alarms: string[];
  messages: MessageAnswer[];
  price: PriceAnswer | null;
  utilities: UtilityAnswer[];
}

export interface SeriesAnswer {
  device: string;
  at: number[];
  power_w: (number | null)[];
  soc: (number | null)[];
}

export interface HistoryAnswer {
  start: number;
  end: number;
  step_s: number;
  day: string | null;
  today: string;
  time_zone: string;
  series: SeriesAnswer[];
}

export interface AboutAnswer {
  use_cases: string[];
  title: string;
  triggered_by: string;
  asks: string;
  ends: string;
  carried_by: string[];
  clause: string;
  latency: string;
  leaving: string;
}

export interface StandingAnswer {
  active: boolean;
  down_w: number;
  up_w: number;
  energy_wh: number | null;
  for_s: number | null;
  promise: string;
  words: string;
}

export interface ProgrammeAnswer {
  id: string;
  about: AboutAnswer;
  standing: StandingAnswer;
  manner: string;
  joined: boolean;
  bound: string;
  decided_by: string;
  decided_at: number | null;
  until: number | null;
  version: string;
  consequence: string[];
}

export interface ProgrammesAnswer {
  programmes: ProgrammeAnswer[];
}
