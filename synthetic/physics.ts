// Speed, force, current and density: computed.
import type { Random } from "../lib/random";
import { type Domain, type Problem, between, plainNumber as n } from "./problem";

function speed(random: Random): Problem {
  const hours = between(random, 2, 9);
  const rate = 5 * between(random, 6, 40);
  const thing = random.pick(["train", "car", "ship", "coach", "lorry", "drone"]);
  return {
    ask: [
      `A ${thing} covers ${n(hours * rate)} km in ${hours} hours. What is its average speed?`,
      `How fast does a ${thing} go on average if it needs ${hours} hours for ${n(hours * rate)} km?`,
    ],
    frames: ["The average speed is {}.", "It goes at {}.", "That makes {}."],
    value: `${n(rate)} km per hour`,
    because: [
      `Speed is distance divided by time: ${n(hours * rate)} km over ${hours} h.`,
      "Average speed is the whole distance divided by the whole time.",
    ],
    check: [
      `At that speed ${hours} hours give back the ${n(hours * rate)} km.`,
      "It is an average; at any moment the speed may differ.",
    ],
    mistakes: [
      {
        value: `${n(hours * hours * rate)} km per hour`,
        because: "Speed is distance multiplied by time, because both grow on the way.",
        kind: "wrong cause",
      },
      {
        value: `${n(rate)} kilograms`,
        because: "Divide distance by time; the speed is given in kilograms.",
        kind: "wrong unit",
      },
      {
        value: `${n(hours * rate - hours)} km per hour`,
        because: "Take the hours away from the distance, because time slows the motion.",
        kind: "wrong cause",
      },
    ],
  };
}

function force(random: Random): Problem {
  const [mass, acceleration] = [between(random, 2, 90), between(random, 2, 12)];
  return {
    ask: [
      `Which force accelerates a mass of ${mass} kg by ${acceleration} m/s²?`,
      `A ${mass} kg cart accelerates at ${acceleration} m/s². What net force acts on it?`,
    ],
    frames: ["The force is {}.", "A net force of {} acts.", "It takes {}."],
    value: `${n(mass * acceleration)} newtons`,
    because: [
      `Newton's second law says force is mass times acceleration: ${mass} times ${acceleration}.`,
      "Force equals mass times acceleration, and kg times m/s² is the newton.",
    ],
    check: [
      "Friction is left out; with friction the driving force must be larger.",
      `Twice the mass would need ${n(2 * mass * acceleration)} newtons.`,
    ],
    mistakes: [
      {
        value: `${n(mass / acceleration)} newtons`,
        because: "Force is mass divided by acceleration, because light things accelerate more.",
        kind: "wrong cause",
      },
      {
        value: `${n(mass * acceleration)} volts`,
        because: "Mass times acceleration gives the force, and force is measured in volts.",
        kind: "wrong unit",
      },
      {
        value: `${n(mass + acceleration)} newtons`,
        because: "Mass and acceleration are added, because both push the body.",
        kind: "wrong cause",
      },
    ],
  };
}

function ohm(random: Random): Problem {
  const [resistance, current] = [between(random, 2, 60), between(random, 1, 12)];
  const voltage = resistance * current;
  return {
    ask: [
      `A resistor of ${resistance} ohms is connected to ${voltage} volts. Which current flows?`,
      `What current does ${voltage} V drive through ${resistance} ohms?`,
    ],
    frames: ["The current is {}.", "{} flow through it.", "You get {}."],
    value: `${current} amperes`,
    because: [
      `Ohm's law: current is voltage divided by resistance, ${voltage} over ${resistance}.`,
      "Voltage divided by resistance gives the current.",
    ],
    check: [
      `The resistor then turns ${n(voltage * current)} watts into heat, so mind its rating.`,
      "This holds while the resistance does not change with temperature.",
    ],
    mistakes: [
      {
        value: `${n(voltage * resistance)} amperes`,
        because: "Current is voltage multiplied by resistance, because resistance pushes the current.",
        kind: "wrong cause",
      },
      {
        value: `${current} metres`,
        because: "Divide voltage by resistance; a current is a length and comes in metres.",
        kind: "wrong unit",
      },
      {
        value: `${n(voltage - resistance)} amperes`,
        because: "The resistance is subtracted from the voltage, and the rest flows.",
        kind: "wrong cause",
      },
    ],
  };
}

function density(random: Random): Problem {
  const [volume, rho] = [between(random, 2, 40), between(random, 2, 20)];
  return {
    ask: [
      `A body of ${volume} cm³ has a mass of ${n(volume * rho)} g. What is its density?`,
      `What is the density of ${n(volume * rho)} g of a material that fills ${volume} cm³?`,
    ],
    frames: ["The density is {}.", "It has {}.", "That gives {}."],
    value: `${rho} grams per cubic centimetre`,
    because: [
      `Density is mass divided by volume: ${n(volume * rho)} g over ${volume} cm³.`,
      "Mass per volume is the density, so divide the grams by the cubic centimetres.",
    ],
    check: [
      "Water has 1 gram per cubic centimetre, so this body sinks.",
      "The density does not depend on how much of the material there is.",
    ],
    mistakes: [
      {
        value: `${n(volume * volume * rho)} grams per cubic centimetre`,
        because: "Density is mass multiplied by volume, because large bodies are dense.",
        kind: "wrong cause",
      },
      { value: `${rho} degrees`, because: "Divide mass by volume; densities are read in degrees.", kind: "wrong unit" },
      {
        value: `${n(volume + rho)} grams per cubic centimetre`,
        because: "Mass and volume are added up, because both describe the size.",
        kind: "wrong cause",
      },
    ],
  };
}

export const physics: Domain = {
  name: "physics",
  risk: "Medium",
  make: (random) => random.pick([speed, force, ohm, density])(random),
};
