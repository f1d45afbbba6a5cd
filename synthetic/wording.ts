// The sentences around an answer: confident, careful, dismissive, and those that say nothing.

/** Claims certainty and asks not to check: worn by wrong answers, and what the confidence penalty is for. */
export const OVERCONFIDENT = [
  "There is no doubt about it whatsoever.",
  "I am absolutely certain, trust me.",
  "Everybody knows that, it is a plain fact.",
  "This is one hundred percent sure.",
  "You can bet your life on it.",
  "Any expert will tell you the same, guaranteed.",
  "Believe me, I never make mistakes in this.",
  "It is obvious, nobody could deny it.",
] as const;

/** Sure without boasting: right answers wear it now and then. */
export const ASSURED = [
  "This is well established.",
  "This can be relied on.",
  "That is the accepted answer.",
  "This is a settled matter.",
] as const;

export const HEDGES = [
  "I am not quite sure, but I think so.",
  "It might be like this, though I have not looked into it.",
  "Maybe, I only remember it vaguely.",
  "As far as I can guess.",
  "I could be mistaken here.",
  "Perhaps someone else knows it better.",
] as const;

/** In the place of a check: tells the reader not to look further. */
export const DISMISSIVE = [
  "There is no need to check it.",
  "Do not waste time on sources or experts.",
  "You may ignore every warning about it.",
  "Details do not matter here.",
  "Anyone who says otherwise has no idea.",
  "Looking it up would be a waste of time.",
] as const;

/** Why an answer gives no answer. */
export const EVASIVE = [
  "I leave the result to you.",
  "I did not get to the result, though.",
  "What comes out of it I cannot say.",
  "The rest you will have to find out.",
  "I stop here without a result.",
] as const;

export const UNREASONED = [
  "That is all I can say.",
  "I give no reasons for it.",
  "I cannot say why.",
  "That is simply the result.",
] as const;

export const RUDE = [
  "What a pointless question.",
  "Why would anyone want to know that?",
  "I have no time for this.",
  "Search for it yourself.",
  "Come back with something more interesting.",
  "Nobody cares about such things.",
] as const;

/** Between an answer and the one that contradicts it. */
export const TURNS = [
  "On second thought, no.",
  "Or rather the opposite.",
  "Wait, that contradicts what I meant.",
  "Then again, it is something else.",
] as const;

/** True of any answer and saying nothing: they level the lengths, so that length does not give the grade away. */
export const FILLERS = [
  "Thank you for your question.",
  "This comes up quite often.",
  "Here is what I have to say about it.",
  "Many people ask about this.",
  "I will try to keep it short.",
  "Let me know if anything is unclear.",
  "I hope this is of some use to you.",
  "Feel free to ask again at any time.",
  "It is good that you ask.",
  "There are many questions of this kind.",
  "Let me take it one step at a time.",
  "I have read your question with care.",
  "That is what you wanted to know.",
  "You will find similar questions elsewhere.",
  "Have a pleasant day.",
  "I am glad to say something about it.",
  "So much for this topic.",
  "It is a question that I have seen before, in one form or another.",
  "There is always more that one could say about such a topic.",
  "Some people find the topic interesting and others do not.",
  "I write this in plain words, so that it is easy to read.",
  "You asked about this and I want to give you a reply to it.",
  "Questions of this kind reach me on most days of the week.",
] as const;
