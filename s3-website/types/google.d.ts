/**
 * The part of Google Identity Services' API that the page uses.
 * Source: Google Identity for Web, "Sign In With Google JavaScript API reference".
 */
interface CredentialResponse {
  credential: string;
  select_by?: string;
}

interface GoogleAccountsId {
  initialize(options: {
    client_id: string;
    callback: (response: CredentialResponse) => void;
    auto_select?: boolean;
    cancel_on_tap_outside?: boolean;
    itp_support?: boolean;
    nonce?: string;
    use_fedcm_for_prompt?: boolean;
    use_fedcm_for_button?: boolean;
  }): void;
  renderButton(
    parent: HTMLElement,
    options: {
      type?: "standard" | "icon";
      theme?: "outline" | "filled_blue" | "filled_black";
      size?: "large" | "medium" | "small";
      text?: "signin_with" | "signup_with" | "continue_with" | "signin";
      shape?: "rectangular" | "pill" | "circle" | "square";
      width?: number;
    },
  ): void;
  prompt(): void;
  cancel(): void;
  disableAutoSelect(): void;
}

interface Window {
  google?: { accounts?: { id?: GoogleAccountsId } };
}
