#include "daemon/workspace/secret_names.h"

#include <sstream>

namespace cinnabar::daemon {
namespace {

// By kind, blanks between the names of one.
constexpr const char* kKinds[] = {
    // environments
    ".env .env.* *.env .envrc .flaskenv *.env.local .dev.vars",
    // keys and certificates
    "*.pem *.key *.p8 *.p12 *.pfx *.pkcs12 *.jks *.keystore *.bks *.der *.ppk *.pvk *.asc *.gpg *.pgp "
    "*.age *.kdbx *.kdb *.agilekeychain *.keychain *.keychain-db *.jwk id_rsa* id_dsa* id_ecdsa* "
    "id_ed25519* *_rsa *_dsa *_ecdsa *_ed25519 ssh_host_*_key *.mobileprovision *.snk *.ovpn wg*.conf "
    "*.rdp *.tblk",
    // logins of programs
    ".netrc _netrc .npmrc .yarnrc .yarnrc.yml .pypirc .pgpass pgpass.conf .my.cnf .mylogin.cnf .htpasswd "
    "htpasswd .git-credentials .gitcookies .dockercfg .dockerconfigjson **/.docker/config.json .s3cfg "
    ".boto .ftpconfig sftp-config.json .remote-sync.json filezilla.xml recentservers.xml .msmtprc "
    ".mbsyncrc .fetchmailrc .esmtprc .smbcredentials *.smbcredentials .vault-token *.vault-token "
    ".vault_pass* vault_pass* .rclone.conf rclone.conf .gem/credentials **/.gem/credentials "
    "**/.m2/settings.xml settings-security.xml **/.cargo/credentials.toml auth.json "
    "**/.config/gh/hosts.yml **/.config/hub .terraformrc terraform.rc credentials.tfrc.json nuget.config "
    ".pgpass.* .passwd passwd shadow *.htpasswd master.key **/config/master.key",
    // clouds and clusters
    "credentials credentials.* *credentials.json *credentials.csv service-account*.json "
    "service_account*.json serviceaccount*.json *-service-account.json gcloud*.json client_secret*.json "
    "client-secret*.json google-services.json GoogleService-Info.plist firebase-adminsdk*.json "
    "*-firebase-adminsdk*.json accesskeys.csv *_accesskeys.csv rootkey.csv kubeconfig kubeconfig.* "
    "*.kubeconfig *kubeconfig.y*ml azureauth.json azureProfile.json accessTokens.json *.publishsettings "
    "*.tfvars *.tfvars.json *.tfstate *.tfstate.* *.tfplan",
    // applications
    ".secret .secrets secret.y*ml secret.json secret.toml secret.ini secret.txt secrets.y*ml secrets.json "
    "secrets.toml secrets.ini secrets.txt secrets.enc* *.secret *.secrets *-secret.y*ml *-secrets.y*ml "
    "*_secret.y*ml *_secrets.y*ml *.secrets.y*ml *.secret.y*ml wp-config.php wp-config-*.php "
    "wp-config.*.php LocalSettings.php secret_key secret_key.txt secret_key_base* secret_token.rb token "
    "token.txt token.json .token *.token passwords passwords.txt passwords.csv password.txt "
    "recovery-codes* recovery_codes*",
    // folders of such things
    ".ssh/ .gnupg/ .aws/ .azure/ .kube/ **/.config/gcloud/** .password-store/ .secrets/ secrets/ "
    ".terraform.d/ .chef/ .vault/ .gcloud/",
};

}  // namespace

const std::vector<std::string>& secret_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const char* kind : kKinds) {
      std::istringstream words(kind);
      for (std::string name; words >> name;) all.push_back(name);
    }
    return all;
  }();
  return names;
}

}  // namespace cinnabar::daemon
