import shell from "./shell.json";
import home from "./home.json";

export default { shell, home };
