import first from "./first";
import agent from "./agent.json";
import devices from "./devices.json";
import programmes from "./programmes.json";
import history from "./history.json";
import privacy from "./privacy.json";
import people from "./people.json";
import setup from "./setup.json";
import phone from "./phone.json";
import trust from "./trust.json";
import updates from "./updates.json";

export default { ...first, agent, devices, programmes, history, privacy, people, setup, phone, trust, updates };
