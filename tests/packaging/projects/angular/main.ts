import { Component, provideZonelessChangeDetection } from "@angular/core";
import { bootstrapApplication } from "@angular/platform-browser";
import { publish } from "./check.js";

@Component({ selector: "app-root", template: "<p>{{ text }}</p>" })
class App {
  text = "Page";

  constructor() {
    publish();
  }
}

bootstrapApplication(App, { providers: [provideZonelessChangeDetection()] });
